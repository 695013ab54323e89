//! What the contract promises, case by case, on every back end.

mod care;
mod commits;
mod mailbox;
mod owners;
mod state;
mod vault;

use crate::support;

/// Runs every case on one back end.
macro_rules! on {
    ($backend:ident by $run:ident: $($area:ident { $($case:ident)* })*) => {
        mod $backend {
            $($(
                #[test]
                fn $case() {
                    super::support::$run(super::support::$backend, super::$area::$case);
                }
            )*)*
        }
    };
}

macro_rules! on_every_backend {
    ($($cases:tt)*) => {
        on! { memory by run: $($cases)* }
        on! { sqlite by run: $($cases)* }
        #[cfg(feature = "postgres")]
        on! { postgres by run_on_server: $($cases)* }
    };
}

on_every_backend! {
    owners {
        an_actor_keeps_its_key_and_its_epoch_grows
        a_lease_keeps_others_away_until_it_ends
        a_released_actor_is_free
        a_stale_owner_can_do_nothing
        actors_are_found_and_listed
        names_have_limits
    }
    mailbox {
        messages_come_out_as_they_went_in
        signals_have_a_queue_of_their_own
        batches_have_limits
        what_is_consumed_is_gone_and_stays_gone
        a_mailbox_has_limits
        a_request_that_comes_again_is_known
        replies_are_forgotten_by_age
        replies_are_forgotten_by_bytes
        failed_attempts_are_counted
        an_unknown_actor_has_no_mailbox
        parts_of_messages_have_limits
        stronger_promises_are_refused
    }
    commits {
        a_commit_is_whole
        a_refused_commit_leaves_nothing
        revisions_follow_each_other
        what_follows_a_refused_commit_is_refused
        nothing_is_consumed_twice
        what_is_not_consumed_stays
        the_outbox_is_delivered_in_order
        what_is_delivered_arrives_once
        what_was_not_taken_is_not_overtaken
        timers_fire_once
        timers_that_are_read_at_once_have_limits
        quotas_are_named
        less_is_allowed_beyond_a_quota
        a_direct_reply_is_recorded
        sizes_of_commits_have_limits
        nothing_is_named_twice
    }
    state {
        values_have_versions
        compare_and_set
        scans_are_ordered_and_bounded
        scans_by_prefix
        actors_do_not_see_each_other
        usage_is_exact
    }
    vault {
        a_key_is_made_once
        keys_are_sealed_anew
        notes_are_compared
    }
    care {
        dead_letters_are_kept_listed_retried_and_dropped
        dead_letters_are_bounded
        a_letter_whose_request_waits_stays
        buried_messages_are_letters
        stats_count
        a_closed_store_says_so
        a_sound_store_checks_clean
    }
}
