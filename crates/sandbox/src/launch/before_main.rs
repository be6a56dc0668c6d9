//! The launcher in test programs, whose `main` belongs to the test harness: it is called
//! with what the loader runs first.

#![allow(unsafe_code, reason = "the loader calls what stands in this section")]

// SAFETY: the section holds pointers to functions of C that the loader calls in the one
// thread there is then. The standard library's arguments are set by an earlier entry.
#[used]
#[unsafe(link_section = ".init_array")]
static FIRST: extern "C" fn() = first;

extern "C" fn first() {
    super::main_if_launcher();
}
