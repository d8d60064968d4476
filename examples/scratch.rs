use racelab::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};
use racelab::{Engine, Explorer, Named, Verdict, thread};
fn counter(t: usize, k: usize) {
    let n = Arc::new(AtomicUsize::new(0).named("n"));
    let w: Vec<_> = (0..t)
        .map(|_| {
            let n = Arc::clone(&n);
            thread::spawn(move || {
                for _ in 0..k {
                    let v = n.load(SeqCst);
                    n.store(v + 1, SeqCst);
                }
            })
        })
        .collect();
    for w in w {
        w.join().unwrap();
    }
    let total = n.load(SeqCst);
    racelab::outcome(total);
    assert_eq!(total, t * k);
}
fn show(name: &str, r: &racelab::Report) {
    println!(
        "{name}: {} executions {} violations {} cov {:?} outcomes {:?} in {:?}",
        r.verdict.name(),
        r.executions,
        r.violations,
        r.coverage,
        r.outcomes,
        r.elapsed
    );
    if let Verdict::Violated(f) = &r.verdict {
        println!(
            "   {} [{}] pre {} minimal {:?} cost {} msg {:?} at {:?}",
            f.kind, f.schedule, f.preemptions, f.minimal, f.minimise_executions, f.message, f.at
        );
        for b in &f.blocked {
            println!("     {b:?}");
        }
    }
    if let Verdict::Inconclusive(f) = &r.verdict {
        println!("   {f}");
    }
}
fn main() {
    show(
        "counter",
        &Explorer::new(Engine::Dfs).explore(|| counter(2, 1)),
    );
    show(
        "counter all",
        &Explorer::new(Engine::Dfs)
            .past_failures()
            .explore(|| counter(2, 1)),
    );
    show(
        "counter 2 2 all",
        &Explorer::new(Engine::Dfs)
            .past_failures()
            .explore(|| counter(2, 2)),
    );
    show(
        "counter random",
        &Explorer::new(Engine::Random).explore(|| counter(2, 1)),
    );
    show(
        "counter random all",
        &Explorer::new(Engine::Random)
            .max_executions(200_000)
            .past_failures()
            .explore(|| counter(2, 1)),
    );
    show(
        "counter 3 3 random",
        &Explorer::new(Engine::Random).explore(|| counter(3, 3)),
    );
    show(
        "abba",
        &Explorer::new(Engine::Dfs).explore(|| {
            let a = Arc::new(Mutex::new(0).named("a"));
            let b = Arc::new(Mutex::new(0).named("b"));
            let (a2, b2) = (a.clone(), b.clone());
            let t = thread::spawn(move || {
                let _x = a2.lock().unwrap();
                let _y = b2.lock().unwrap();
            });
            {
                let _x = b.lock().unwrap();
                let _y = a.lock().unwrap();
            }
            t.join().unwrap();
        }),
    );
    show(
        "mutex",
        &Explorer::new(Engine::Dfs).explore(|| {
            let a = Arc::new(Mutex::new(0).named("a"));
            thread::scope(|s| {
                for _ in 0..2 {
                    s.spawn(|| *a.lock().unwrap() += 1);
                }
            });
            assert_eq!(*a.lock().unwrap(), 2);
        }),
    );
    show(
        "never ends",
        &Explorer::new(Engine::Dfs).explore(|| {
            let a = AtomicUsize::new(0);
            loop {
                a.fetch_add(1, SeqCst);
            }
        }),
    );
    show(
        "never ends rnd",
        &Explorer::new(Engine::Random).explore(|| {
            let a = AtomicUsize::new(0);
            loop {
                a.fetch_add(1, SeqCst);
            }
        }),
    );
    show(
        "spin",
        &Explorer::new(Engine::Dfs).explore(|| {
            let a = AtomicUsize::new(0);
            while a.load(SeqCst) == 0 {}
        }),
    );
    let outer = Arc::new(AtomicUsize::new(0));
    show(
        "misuse",
        &Explorer::new(Engine::Dfs).explore(move || {
            outer.load(SeqCst);
        }),
    );
    show(
        "stuck",
        &Explorer::new(Engine::Dfs)
            .stall_limit(std::time::Duration::from_millis(300))
            .explore(|| {
                let a = AtomicUsize::new(0);
                a.load(SeqCst);
                loop {
                    std::hint::spin_loop()
                }
            }),
    );
}
