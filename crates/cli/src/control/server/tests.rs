use std::sync::Arc;

use expect_test::{Expect, expect};
use playhouse_types::{ActorError, Code, ErrorKind};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

use super::{LINE_BYTES_MAX, Service, serve};
use crate::control::protocol::{Hello, Request, Response};

/// Answers with what was asked; a call never ends, and tells when it is given up.
struct Mirror(std::sync::Mutex<Option<oneshot::Sender<()>>>);

impl Service for Mirror {
    fn hello(&self) -> Hello {
        Hello { version: "v".into(), protocol: 1, node: "n".into(), pid: 1, realm: 2 }
    }

    async fn answer(&self, request: Request, answers: mpsc::Sender<Response>) {
        match request {
            Request::Call(_) => {
                let _given_up_when_dropped = self.0.lock().unwrap().take();
                std::future::pending::<()>().await;
            }
            Request::Logs { .. } => {
                for n in 0..200 {
                    answers.send(Response::Ok(n.into())).await.unwrap();
                }
                answers.send(Response::End).await.unwrap();
            }
            Request::StopNode => {
                let error = ActorError::coded(ErrorKind::NotFound, Code::UnknownActor, "nobody");
                answers.send(Response::Error(error.into())).await.unwrap();
            }
            Request::ListDeadLetters => answers.send(Response::Ok("last".into())).await.unwrap(),
            _ => answers.send(Response::Ok("yes".into())).await.unwrap(),
        }
    }
}

async fn start() -> (tempfile::TempDir, UnixStream, oneshot::Receiver<()>, oneshot::Sender<()>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let (gone, given_up) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let service = Arc::new(Mirror(Some(gone).into()));
    tokio::spawn(async move {
        serve(listener, service, async {
            let _ = stopped.await;
        })
        .await;
    });
    (dir, UnixStream::connect(path).await.unwrap(), given_up, stop)
}

/// What the node says to these bytes, until it hangs up or has answered a last request that is appended to them.
async fn talk(said: &[u8]) -> String {
    let (_dir, stream, _given_up, _stop) = start().await;
    let (reader, mut writer) = stream.into_split();
    let said = [said, b"{\"op\":\"list-dead-letters\"}\n"].concat();
    // The node may hang up before it has read everything.
    let writing = tokio::spawn(async move {
        let _ = writer.write_all(&said).await;
        writer
    });
    let (mut heard, mut lines) = (String::new(), BufReader::new(reader).lines());
    while let Ok(Some(line)) = lines.next_line().await {
        if line == LAST {
            break;
        }
        heard.extend([&line, "\n"]);
    }
    drop(writing.await.unwrap());
    heard
}

const LAST: &str = r#"{"ok":"last"}"#;

async fn check(said: &str, expected: Expect) {
    expected.assert_eq(&talk(said.as_bytes()).await);
}

const HELLO: &str = "{\"op\":\"hello\",\"protocol\":1}\n";

#[tokio::test]
async fn greetings_come_first() {
    check("{\"op\":\"actors\"}\n", expect![[r#"
        {"error":{"text":"invalid argument: the first line must be {\"op\":\"hello\",\"protocol\":1} [usage]","kind":"invalid-argument","fix":null}}
    "#]]).await;
    check(
        "{\"op\":\"hello\",\"protocol\":2}\n",
        expect![[r#"
            {"error":{"text":"not implemented: the node speaks control protocol 1, not 2 [usage]","kind":"not-implemented","fix":null}}
        "#]],
    )
    .await;
    check("\u{0}\u{1}\n", expect![[r#"
        {"error":{"text":"invalid argument: the first line must be {\"op\":\"hello\",\"protocol\":1} [usage]","kind":"invalid-argument","fix":null}}
    "#]]).await;
}

#[tokio::test]
async fn every_request_gets_an_answer() {
    let said = format!("{HELLO}{{\"op\":\"actors\"}}\n{{\"op\":\"fly\"}}\n[]\n{{\"op\":\"stop-node\"}}\n");
    check(&said, expect![[r#"
        {"ok":{"node":"n","pid":1,"protocol":1,"realm":2,"version":"v"}}
        {"ok":"yes"}
        {"error":{"text":"invalid argument: the node does not know this request: unknown variant `fly`, expected one of `hello`, `actors`, `resolve`, `call`, `logs`, `resume-actor`, `stop-actor`, `stop-node`, `list-dead-letters`, `show-dead-letter`, `retry-dead-letter`, `drop-dead-letter`, `actor-keys`, `rotate-key`, `store` at line 1 column 11 [usage]","kind":"invalid-argument","fix":null}}
        {"error":{"text":"invalid argument: the node does not know this request: missing field `op` at line 1 column 2 [usage]","kind":"invalid-argument","fix":null}}
        {"error":{"text":"not found: nobody [unknown-actor]","kind":"not-found","fix":null}}
    "#]]).await;
}

#[tokio::test]
async fn many_answers_come_in_order() {
    let heard =
        talk(format!("{HELLO}{{\"op\":\"logs\",\"actor\":null,\"tail\":0,\"follow\":false}}\n").as_bytes()).await;
    let lines: Vec<&str> = heard.lines().skip(1).collect();
    assert_eq!(lines.len(), 201);
    assert!(lines[..200].iter().enumerate().all(|(n, line)| *line == format!("{{\"ok\":{n}}}")));
    assert_eq!(lines[200], "\"end\"");
}

#[tokio::test]
async fn a_line_without_end_is_cut_off() {
    let mut said = HELLO.as_bytes().to_vec();
    said.resize(said.len() + LINE_BYTES_MAX + 1, b' ');
    let heard = talk(&said).await;
    assert!(heard.lines().nth(1).unwrap_or_default().contains("a line of the control protocol may have"), "{heard}");
}

#[tokio::test]
async fn a_call_is_given_up_when_its_client_goes() {
    let (_dir, mut stream, given_up, _stop) = start().await;
    let call = "{\"op\":\"call\",\"actor\":\"a\",\"route\":\"r\",\"payload\":\"\",\"timeout_ms\":1,\"wait\":true}\n";
    stream.write_all(format!("{HELLO}{call}").as_bytes()).await.unwrap();
    let mut hello = [0; 8];
    stream.read_exact(&mut hello).await.unwrap();
    drop(stream);
    assert!(given_up.await.is_err(), "dropped, not sent");
}
