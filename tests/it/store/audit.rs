//! Audit logs.

use customer_profile::store::{
    AuditAppend, AuditBatch, AuditHead, AuditSpan, AuditTile, Store, TilePlace,
};
use profile_core::records::TenantId;

use super::build::*;

fn batch(first: u64, count: u64) -> AuditBatch {
    let at = i64::try_from(first).expect("a time");
    AuditBatch {
        span: AuditSpan {
            first,
            count,
            begin_time: time(at),
            end_time: time(at + 5),
            customers: if first == 0 {
                Vec::new()
            } else {
                vec![0, 1, 2, 0xff]
            },
        },
        body: vec![u8::try_from(first % 250).expect("a byte"), 0, 0xff],
    }
}

fn tile(level: u8, number: u64, hashes: &[u8]) -> AuditTile {
    AuditTile {
        place: TilePlace { level, number },
        hashes: hashes.to_vec(),
    }
}

fn append(after: u64, batches: Vec<AuditBatch>, tiles: Vec<AuditTile>) -> AuditAppend {
    let count: u64 = batches.iter().map(|batch| batch.span.count).sum();
    let size = after + count;
    AuditAppend {
        after,
        head: AuditHead {
            size,
            checkpoint: format!("log\n{size}\nhash\n"),
        },
        batches,
        tiles,
    }
}

pub(crate) async fn a_log_grows_only_from_where_it_is(store: &dyn Store) {
    let tenant = tenant();
    let head = async || store.audit_head(&tenant).await.expect("a read");
    assert_eq!(head().await, AuditHead::default());
    let first = append(
        0,
        vec![batch(0, 256), batch(256, 4)],
        vec![tile(0, 0, &[1; 64])],
    );
    let does = async |append: &AuditAppend| store.append_audit(&tenant, append).await;
    assert!(does(&first).await.expect("a write"));
    assert_eq!(head().await, first.head);
    // Another server was first.
    for late in [0, 259, 261] {
        let late = append(late, vec![batch(260, 1)], vec![tile(0, 1, &[9; 32])]);
        assert!(!does(&late).await.expect("a write"));
        assert_eq!(head().await, first.head);
    }
    let wider = vec![
        tile(0, 0, &[2; 96]),
        tile(1, 0, &[3; 32]),
        tile(0, 7, &[4; 32]),
    ];
    let next = append(260, vec![batch(260, 1)], wider.clone());
    assert!(does(&next).await.expect("a write"));
    assert_eq!(head().await, next.head);

    let firsts = async |from, before| {
        let found = store.audit_batches(&tenant, from, before).await;
        found.expect("a read")
    };
    let all = [batch(0, 256), batch(256, 4), batch(260, 1)];
    assert_eq!(firsts(0, 261).await, all);
    assert_eq!(firsts(255, 256).await, all[..1]);
    assert_eq!(firsts(256, 260).await, all[1..2]);
    assert_eq!(firsts(259, 500).await, all[1..]);
    assert_eq!(firsts(261, 500).await, []);
    let spans = async |before, limit| {
        let found = store.audit_spans(&tenant, before, limit).await;
        found.expect("a read")
    };
    let [one, two, three] = all.map(|batch| batch.span);
    assert_eq!(spans(261, 10).await, [three, two.clone(), one.clone()]);
    assert_eq!(spans(260, 1).await, [two]);
    assert_eq!(spans(256, 10).await, [one]);

    let places: Vec<TilePlace> = wider.iter().map(|tile| tile.place).collect();
    let asked = [
        &places[..],
        &[TilePlace {
            level: 2,
            number: 0,
        }],
    ]
    .concat();
    let mut found = store.audit_tiles(&tenant, &asked).await.expect("a read");
    found.sort_by_key(|tile| tile.place);
    let mut expected = wider;
    expected.sort_by_key(|tile| tile.place);
    assert_eq!(found, expected);
    // Tenants have logs of their own.
    let other = TenantId::new("other").expect("a name");
    let nothing = store.audit_spans(&other, 500, 10).await.expect("a read");
    assert_eq!(nothing, []);
}
