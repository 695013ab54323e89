use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Builder;

use super::arrivals::{self, Arrivals};
use super::error::PostgresError;
use super::options::PostgresOptions;
use super::promise::Promise;
use super::readers::Readers;
use super::schema;
use super::session::Connector;
use super::writer::Writer;
use super::{Common, Counted, Shared};

/// How often the server is asked what it can promise.
const WATCH: Duration = Duration::from_secs(5);

/// Connects on the runtime of the store, so that this may be called from any thread.
pub(super) fn open(options: PostgresOptions) -> Result<Shared, PostgresError> {
    let (config, tls) = options.config()?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("playhouse-store")
        .enable_all()
        .build()
        .map_err(PostgresError::Thread)?;
    let (told, opened) = mpsc::channel();
    let handle = runtime.handle().clone();
    runtime.spawn(async move {
        let connector =
            Connector { config, tls, schema: options.schema.clone(), statement_timeout: options.statement_timeout };
        let common = Arc::new(Common {
            queue: Arc::default(),
            server: name(&connector),
            connector,
            runtime: handle,
            give_up_after: options.give_up_after,
            promise: Promise::default(),
            writer: AtomicI64::new(0),
            arrivals: Arrivals::default(),
            stats: Counted::default(),
        });
        let worker = std::thread::current().id();
        drop(told.send(start(common, &options).await.map(|(common, readers)| (common, readers, worker))));
    });
    match opened.recv() {
        Ok(Ok((common, readers, worker))) => Ok(Shared { common, readers, runtime: Mutex::new(Some(runtime)), worker }),
        Ok(Err(error)) => {
            runtime.shutdown_background();
            Err(error)
        }
        Err(_) => Err(PostgresError::Thread(std::io::Error::other("it ended"))),
    }
}

async fn start(common: Arc<Common>, options: &PostgresOptions) -> Result<(Arc<Common>, Arc<Readers>), PostgresError> {
    let fail = PostgresError::of;
    let mut session = common.connector.connect().await.map_err(fail)?;
    schema::prepare(&mut session.client, &options.schema).await?;
    common.promise.measure(&session).await.map_err(fail)?;
    let writer = Writer::start(Arc::clone(&common), session, options.retention).await.map_err(fail)?;
    let readers = Readers::new(Arc::clone(&common), options.readers);
    // Both end with the runtime, which the store owns.
    common.runtime.spawn(writer.run());
    common.runtime.spawn(watch(Arc::clone(&common), Arc::clone(&readers)));
    common.runtime.spawn(arrivals::look(Arc::clone(&common), Arc::clone(&readers)));
    Ok((common, readers))
}

/// Follows what the server can promise, and keeps it from taking an idle store for one that is gone.
async fn watch(common: Arc<Common>, readers: Arc<Readers>) {
    while !common.queue.is_closed() {
        tokio::time::sleep(WATCH).await;
        // If the server does not answer, that is for whoever writes to find out.
        let Ok(session) = readers.first().await else { continue };
        let writer = common.writer.load(Ordering::Relaxed);
        let looked = async {
            common.promise.measure(&session).await?;
            session.client.execute("SELECT stay($1)", &[&writer]).await
        };
        readers.in_time(&session, looked).await;
    }
}

/// Where the store is, without passwords.
fn name(connector: &Connector) -> String {
    use tokio_postgres::config::Host;
    let hosts: Vec<String> = connector
        .config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        })
        .collect();
    let database = connector.config.get_dbname().or_else(|| connector.config.get_user()).unwrap_or_default();
    format!("postgres {}/{database}.{}", hosts.join(","), connector.schema)
}
