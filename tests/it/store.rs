//! The store's contract: every sentence of it, on each kind of store.

mod api_keys;
mod attempts;
mod audit;
mod build;
mod erasures;
mod loads;
mod log;
mod matching;
mod models;
mod objects;
mod past;
mod postgres;
mod publications;
mod reads;
mod search;
mod sqlite;
mod statistics;
mod tenants;
mod timeline;
mod writes;

use crate::support::stores::{Kind, TestStore};

/// Runs each behaviour on each kind of store.
macro_rules! on_each_store {
    ($($group:ident { $($behaviour:ident,)+ })+) => {
        on_each_store!(@ on_memory Memory $($group $($behaviour)+;)+);
        on_each_store!(@ on_sqlite Sqlite $($group $($behaviour)+;)+);
        on_each_store!(@ on_postgres Postgres $($group $($behaviour)+;)+);
    };
    (@ $module:ident $kind:ident $($group:ident $($behaviour:ident)+;)+) => {
        mod $module {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $behaviour() {
                    let test = super::TestStore::start(super::Kind::$kind).await;
                    super::$group::$behaviour(test.store.as_ref()).await;
                    test.store.close().await;
                }
            )+)+
        }
    };
}

on_each_store! {
    api_keys {
        api_keys_are_listed_as_they_were_made,
        an_api_key_is_revoked_once_and_for_ever,
    }
    audit {
        a_log_grows_only_from_where_it_is,
    }
    writes {
        numbers_follow_each_other_without_gaps,
        concurrent_writers_take_turns_and_see_each_other,
        a_dropped_transaction_leaves_nothing,
        a_begin_whose_wait_is_dropped_gives_the_turn_back,
        a_commit_whose_wait_is_dropped_is_whole,
        nothing_is_seen_before_the_commit,
        what_is_stored_already_is_refused_and_leaves_nothing,
        text_with_nul_is_refused_and_leaves_nothing,
        what_is_written_again_is_replaced,
        a_large_write_is_one_write,
        what_is_written_ahead_is_seen_with_the_commit_or_never,
    }
    attempts {
        an_attempt_is_the_next_write,
        an_attempt_comes_after_writes_that_touched_nothing_it_read,
        an_attempt_is_overtaken_by_a_write_that_touched_what_it_read,
        an_attempt_that_found_nothing_is_overtaken_by_what_comes_there,
        an_attempt_is_overtaken_by_another_model_and_by_what_went_ahead,
        an_attempt_follows_without_writing,
        attempts_at_once_are_written_once_each,
        an_attempt_without_commit_leaves_nothing,
    }
    erasures {
        an_erasure_reaches_everything_of_its_records,
        an_erasure_takes_its_records_out_of_decisions,
        an_erasure_takes_its_merges_with_it,
        tombstones_tell_the_erased_until_they_are_released,
        an_attempt_is_overtaken_by_an_erasure,
        a_dropped_erasure_leaves_everything,
        receipts_are_listed_newest_first,
    }
    loads {
        records_are_loaded_by_key,
        holders_are_one_more_than_the_limit_least_keys_first,
        known_statements_are_told_apart_by_every_part_of_their_name,
        known_events_come_with_the_hash_of_their_content,
        profile_rows_come_back_in_every_state,
        statements_come_record_by_record_as_they_were_stored,
    }
    log {
        each_write_has_an_entry_without_gaps,
        a_long_entry_is_read_part_by_part,
        the_log_is_trimmed_by_age_and_by_size_and_tells_the_gap,
        the_logs_of_tenants_are_read_together_and_apart,
    }
    reads {
        profiles_come_in_the_order_asked_for_and_follow_redirects,
        a_read_that_finds_nothing_tells_the_sequence,
        identifiers_find_live_profiles_in_order_up_to_the_limit,
        records_find_their_profile,
        statements_are_listed_in_the_order_stored,
        memberships_are_listed_in_order,
        extreme_values_come_back_as_they_were,
        the_id_stays_the_same,
    }
    models {
        the_model_in_force_is_told_with_every_turn_and_read,
        versions_are_listed_latest_first,
        a_version_is_stored_once_and_comes_into_force_once,
    }
    matching {
        records_under_a_match_key_are_one_more_than_the_limit_least_first,
        pairs_are_found_from_both_ends_once_each,
        the_queue_is_paged_strongest_first,
        decisions_are_in_force_until_withdrawn,
        decisions_are_paged_newest_first_also_within_a_write,
        a_request_is_remembered_once,
        merges_and_splits_are_listed_newest_first,
        a_snapshot_stays_as_it_was,
    }
    search {
        every_prefix_must_begin_a_term,
        hits_are_paged_in_order_of_id,
        letters_of_patterns_are_letters,
        prefixes_of_any_script_find_their_words,
        hits_come_by_their_least_sure_word,
        a_word_that_is_meant_whole_begins_nothing,
        words_are_found_in_the_traits_that_are_asked,
        words_that_are_like_one_are_found,
        a_word_goes_with_the_last_record_that_says_it,
    }
    timeline {
        events_come_newest_first_with_one_order_of_ties,
        pages_put_together_are_the_whole,
        events_are_chosen_by_type_and_time,
        keys_are_in_byte_order,
        a_page_before_ends_where_it_is_told,
    }
    objects {
        events_are_found_by_the_objects_that_they_name,
        objects_lead_to_the_profiles_that_have_them,
        events_without_a_record_are_found_by_what_they_name,
        events_are_counted_by_type,
    }
    past {
        the_last_write_at_a_time_is_found,
        the_model_that_was_in_force_is_told,
        times_of_writes_never_go_back,
        a_profile_is_read_as_it_was_after_each_write,
        an_identifier_leads_where_it_led_after_each_write,
    }
    publications {
        a_publication_begins_once,
        of_two_who_saw_the_same_lease_one_takes_it,
        who_lost_the_lease_moves_nothing_on,
        a_reset_takes_the_lease_away,
        dead_letters_are_paged_replayed_and_removed,
    }
    statistics {
        statistics_are_kept_in_place_of_those_before,
    }
    tenants {
        same_keys_in_two_tenants_never_mix,
        an_unknown_tenant_has_nothing,
    }
}
