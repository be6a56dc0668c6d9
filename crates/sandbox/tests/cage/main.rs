//! The cage, tried from inside: what programs do in it, on this machine's real kernel.
//!
//! Nothing here is skipped. Where the machine lacks what a test needs, the test fails and
//! says what to install. This program is its own launcher and its own attacker: both are
//! called by what the loader runs before `main`, which the test harness owns.

#![allow(clippy::unwrap_used, reason = "what fails in here fails a test")]

mod attempts;
mod bounds;
mod endings;
mod escapes;
mod git;
mod network;
mod protected;
mod syscalls;
mod world;

#[allow(unsafe_code, reason = "the loader calls what stands in this section")]
mod before_main {
    // SAFETY: the section holds pointers to functions of C that the loader calls in the
    // one thread there is then.
    #[used]
    #[unsafe(link_section = ".init_array")]
    static FIRST: extern "C" fn() = first;

    extern "C" fn first() {
        sandbox::launch::main_if_launcher();
        let mut args = std::env::args().skip(1);
        if args.next().as_deref() == Some(super::attempts::WORD) {
            super::attempts::main(&args.collect::<Vec<_>>());
        }
    }
}
