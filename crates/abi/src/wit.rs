//! The WIT texts of the worlds that components may implement.

/// The package `playhouse:actor`: plain and synchronous, so that the tools of every language can build it.
pub const PLAYHOUSE_ACTOR: &str = include_str!("../wit/playhouse/actor.wit");
/// The rest of the package `playhouse:actor`: interfaces that a guest may import, and components of actr 0.3 as well.
pub const PLAYHOUSE_OPERATIONS: &str = include_str!("../wit/playhouse/operations.wit");
/// The package `actr:workload@0.1.0` as actr 0.3.1 has it.
pub const ACTR_WORKLOAD_0_1_A: &str = include_str!("../wit/actr-0.1-a/workload.wit");
/// The package `actr:workload@0.1.0` as actr 0.3.12 has it, which is another one.
pub const ACTR_WORKLOAD_0_1_B: &str = include_str!("../wit/actr-0.1-b/workload.wit");
/// The package `actr:workload@0.1.0` as actr 0.4.21 and 0.5 have it, which is a third one.
pub const ACTR_WORKLOAD_0_1_C: &str = include_str!("../wit/actr-0.1-c/workload.wit");
/// The package `actr:workload@0.2.0`, whose functions are asynchronous.
pub const ACTR_WORKLOAD_0_2: &str = include_str!("../wit/actr-0.2/workload.wit");
