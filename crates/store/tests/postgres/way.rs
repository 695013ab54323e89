//! A way to a server that can be cut.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use playhouse_store::PostgresOptions;

use crate::cluster::Cluster;

pub(crate) struct Way {
    port: u16,
    road: Arc<Road>,
}

#[derive(Default)]
struct Road {
    socket: String,
    closed: AtomicBool,
    count: AtomicUsize,
    lanes: Mutex<Vec<Lane>>,
}

struct Lane {
    client: TcpStream,
    server: UnixStream,
    muted: Arc<AtomicBool>,
}

impl Way {
    /// A way to that server, which is open.
    pub(crate) fn to(cluster: &Cluster) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let road = Arc::new(Road { socket: cluster.place() + "/.s.PGSQL.5432", ..Road::default() });
        let open = Arc::clone(&road);
        // Ends with the process.
        std::thread::spawn(move || listener.incoming().flatten().for_each(|client| open.carry(client)));
        Self { port, road }
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        PostgresOptions::new(&format!("host=127.0.0.1 port={} user=postgres dbname=postgres", self.port))
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// From now on what the server says on the connections that there are does not arrive. It hears all.
    pub(crate) fn mute(&self) {
        self.road.lanes.lock().expect("no panic").iter().for_each(|lane| lane.muted.store(true, Ordering::SeqCst));
    }

    /// Breaks all connections, and lets none through until it is opened again.
    pub(crate) fn cut(&self) {
        self.road.closed.store(true, Ordering::SeqCst);
        for lane in self.road.lanes.lock().expect("no panic").drain(..) {
            lane.end();
        }
    }

    pub(crate) fn open(&self) {
        self.road.closed.store(false, Ordering::SeqCst);
    }

    /// How many connections there have been.
    pub(crate) fn count(&self) -> usize {
        self.road.count.load(Ordering::SeqCst)
    }
}

impl Road {
    fn carry(&self, client: TcpStream) {
        if self.closed.load(Ordering::SeqCst) {
            return;
        }
        let Ok(server) = UnixStream::connect(&self.socket) else { return };
        self.count.fetch_add(1, Ordering::SeqCst);
        let muted = Arc::new(AtomicBool::new(false));
        let lane = || Lane {
            client: client.try_clone().expect("a descriptor"),
            server: server.try_clone().expect("a descriptor"),
            muted: Arc::clone(&muted),
        };
        let (there, back) = (lane(), lane());
        std::thread::spawn(move || {
            copy(&there.client, &there.server, &AtomicBool::new(false));
            there.end();
        });
        std::thread::spawn(move || {
            copy(&back.server, &back.client, &back.muted);
            back.end();
        });
        self.lanes.lock().expect("no panic").push(lane());
    }
}

impl Lane {
    fn end(&self) {
        // It may have ended by itself.
        let _ = (self.client.shutdown(Shutdown::Both), self.server.shutdown(Shutdown::Both));
    }
}

fn copy(mut from: impl Read, mut to: impl Write, muted: &AtomicBool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(size @ 1..) = from.read(&mut buffer) {
        if !muted.load(Ordering::SeqCst) && to.write_all(&buffer[..size]).is_err() {
            return;
        }
    }
}
