//! Open connections: cut on demand, cut when their peer's certificate is long gone, kept through rotations.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[macro_use]
mod stage;

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use bodh_identity::ca::Ca;
use bodh_identity::server::Connections;
use bodh_identity::workload::proto::X509BundlesRequest;
use bodh_identity::workload::proto::spiffe_workload_api_client::SpiffeWorkloadApiClient;
use bodh_identity::{Source, SourceError};
use stage::{DOMAIN, HOUR, Stage, call, id, source};

const SHORT: Duration = Duration::from_secs(2);

#[tokio::test]
async fn closing_an_identity_cuts_its_live_stream_within_100_ms_and_no_other() {
    let ca = Ca::generate(DOMAIN, SystemTime::now()).unwrap();
    let stage = Stage::new(source(&ca, "mirror", HOUR)).await;
    let (mine, other) = (source(&ca, "audit", HOUR), source(&ca, "guardian", HOUR));
    let mut streams = Vec::new();
    for source in [&mine, &other] {
        let mut client = SpiffeWorkloadApiClient::new(stage.channel("mirror", source));
        let mut stream = client.fetch_x509_bundles(X509BundlesRequest {}).await.unwrap().into_inner();
        assert!(stream.message().await.unwrap().is_some());
        streams.push(stream);
    }
    assert_eq!((stage.connections.live(), stage.connections.live_of(&id("audit"))), (2, 1));
    let begun = Instant::now();
    assert_eq!(stage.connections.close(&id("audit")), 1);
    let cut = async { while streams[0].message().await.is_ok() {} };
    tokio::time::timeout(Duration::from_millis(100), cut).await.expect("the stream lived on");
    assert!(begun.elapsed() < Duration::from_millis(100));
    assert!(streams[1].message().await.unwrap().is_some());
    assert_eq!(stage.connections.close(&id("audit")), 0);
    // Closing is not revoking: the next call connects again.
    assert!(call(&stage.channel("mirror", &mine)).await.is_ok());
    assert!(stage.connections.close_all() >= 1);
}

#[tokio::test]
async fn a_connection_outlives_its_certificate_by_the_grace_and_no_more() {
    let ca = Ca::generate(DOMAIN, SystemTime::now()).unwrap();
    // Validity counts in whole seconds, the last one included (RFC 5280, section 4.1.2.5), so the grace is longer than
    // one.
    let grace = Duration::from_millis(1500);
    let stage = Stage::with(source(&ca, "mirror", HOUR), Connections::with_grace(grace)).await;
    let mine = source(&ca, "audit", SHORT);
    let expires = mine.current().not_after();
    let mut client = SpiffeWorkloadApiClient::new(stage.channel("mirror", &mine));
    let mut stream = client.fetch_x509_bundles(X509BundlesRequest {}).await.unwrap().into_inner();
    while stream.message().await.is_ok() {
        assert!(SystemTime::now() < expires + Duration::from_secs(3), "never cut");
    }
    assert!(SystemTime::now() >= expires + grace, "cut too early");
    assert!(call(&stage.channel("mirror", &mine)).await.is_err());
    assert_eq!(stage.refusal().await, "expired");
}

#[tokio::test]
async fn rotating_both_ends_drops_no_call() {
    let ca = Ca::generate(DOMAIN, SystemTime::now()).unwrap();
    let (mirror, mine) = (source(&ca, "mirror", SHORT), source(&ca, "audit", SHORT));
    let stage = Stage::with(mirror.clone(), Connections::with_grace(Duration::from_millis(500))).await;
    let channel = stage.channel("mirror", &mine);
    let rotate = async {
        for _ in 0..6 {
            tokio::time::sleep(SHORT / 2).await;
            for source in [&mirror, &mine] {
                let next = ca.issue(source.current().id(), SHORT, SystemTime::now()).unwrap();
                source.replace(next, ca.bundle().unwrap()).unwrap();
            }
        }
    };
    let calls = async {
        let (mut shown, mut made) = (BTreeSet::new(), 0_u32);
        loop {
            let four = tokio::join!(call(&channel), call(&channel), call(&channel), call(&channel));
            for answer in [four.0, four.1, four.2, four.3] {
                shown.insert(answer.expect("a call was dropped").1);
                made += 1;
            }
            if shown.len() == 7 {
                return made;
            }
        }
    };
    let ((), made) = tokio::time::timeout(Duration::from_secs(20), async { tokio::join!(rotate, calls) })
        .await
        .expect("the new certificates were not shown");
    assert!(made > 200, "{made} calls");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(stage.connections.live() <= 3, "old connections are let go: {}", stage.connections.live());
}

#[tokio::test]
async fn a_source_keeps_its_identity() {
    let ca = Ca::generate(DOMAIN, SystemTime::now()).unwrap();
    let mine: Source = source(&ca, "audit", HOUR);
    let other = ca.issue(&id("guardian"), HOUR, SystemTime::now()).unwrap();
    assert!(matches!(mine.replace(other, ca.bundle().unwrap()), Err(SourceError::OtherIdentity)));
    assert_eq!(*mine.current().id(), id("audit"));
}
