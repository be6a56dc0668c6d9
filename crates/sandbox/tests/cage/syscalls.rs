//! Attempts by system calls: each is refused with the error that programs understand.

use crate::attempts::{CALLS, WORD};
use crate::world::{Before, World, myself, probes, text};

#[tokio::test]
async fn each_call_is_refused_with_its_error() {
    let program = myself();
    let mut wrong = Vec::new();
    for probe in probes().await {
        let world = World::new(Before::Full);
        let cage = world.cage(&probe);
        for (name, errors) in CALLS {
            let parent = std::process::id().to_string();
            let args = [WORD.to_owned(), name.to_owned(), parent];
            let ended = cage.run(program.to_str().unwrap(), &args, b"").await.unwrap();
            let said = text(&ended);
            if !errors.iter().any(|error| said.trim() == error.to_string()) {
                wrong.push(format!("{:?} {name}: {said} ({})", probe.mode(), ended.code));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn nothing_is_open_but_the_three() {
    let program = myself();
    // One that would be inherited: without the flag that closes it.
    let leaked = std::fs::File::open("/dev/null").unwrap();
    rustix::io::fcntl_setfd(&leaked, rustix::io::FdFlags::empty()).unwrap();
    for probe in probes().await {
        let world = World::new(Before::Full);
        let args = [WORD, "descriptors"].map(str::to_owned);
        let ended = world.cage(&probe).run(program.to_str().unwrap(), &args, b"").await.unwrap();
        assert_eq!(text(&ended).trim(), libc::EBADF.to_string(), "{:?}", probe.mode());
    }
}
