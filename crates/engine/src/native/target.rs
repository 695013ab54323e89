//! Which machine a library was built for.

use super::error::LoadError;

/// Checks that a target triple means this machine: architecture, operating system, and the C library where both name one.
pub(super) fn check(target: &str) -> Result<(), LoadError> {
    check_against(target, &Machine::HERE)
}

struct Machine {
    arch: &'static str,
    os: &'static str,
    env: &'static str,
}

impl Machine {
    const HERE: Self = Self {
        arch: std::env::consts::ARCH,
        os: std::env::consts::OS,
        env: if cfg!(target_env = "musl") {
            "musl"
        } else if cfg!(target_env = "gnu") {
            "gnu"
        } else if cfg!(target_env = "msvc") {
            "msvc"
        } else {
            ""
        },
    };
}

fn check_against(target: &str, machine: &Machine) -> Result<(), LoadError> {
    let mut parts = target.splitn(4, '-');
    let (arch, _vendor, os, env) = (parts.next(), parts.next(), parts.next(), parts.next());
    let arch_fits = arch.is_some_and(|arch| arch_name(arch) == machine.arch);
    let os_fits = os.is_some_and(|os| os_name(os) == machine.os);
    // `gnueabihf` is a kind of `gnu`.
    let env_fits = env.is_none_or(|env| machine.env.is_empty() || env.starts_with(machine.env));
    if arch_fits && os_fits && env_fits {
        return Ok(());
    }
    let mut here = format!("{}-{}", machine.arch, machine.os);
    if !machine.env.is_empty() {
        here.push('-');
        here.push_str(machine.env);
    }
    Err(LoadError::Target { found: target.to_owned(), here })
}

fn arch_name(arch: &str) -> &str {
    match arch {
        "i386" | "i586" | "i686" => "x86",
        "arm64" => "aarch64",
        arch if arch.starts_with("armv") => "arm",
        arch => arch,
    }
}

fn os_name(os: &str) -> &str {
    // Versions may be attached, as in `darwin23`.
    if os.starts_with("darwin") { "macos" } else { os }
}

#[cfg(test)]
mod tests;
