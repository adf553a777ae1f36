//! The list of the contract's tests; an engine takes all of them.

/// Makes a module of tests for each engine out of one list of functions of `suite`.
macro_rules! store_suite {
    ($($test:ident)+) => {
        store_suite!(@engine sqlite: $($test)+);
        store_suite!(@engine postgres: $($test)+);
        store_suite!(@engine mysql: $($test)+);
        store_suite!(@engine agent_with_sqlite: $($test)+);
        store_suite!(@engine agent_with_postgres: $($test)+);
        #[cfg(feature = "odbc")]
        store_suite!(@engine odbc_sqlite: $($test)+);
        #[cfg(feature = "odbc")]
        store_suite!(@engine odbc_postgres: $($test)+);
    };
    (on servers: $($test:ident)+) => {
        store_suite!(@engine postgres in on_servers_postgres: $($test)+);
        store_suite!(@engine mysql in on_servers_mysql: $($test)+);
        #[cfg(feature = "odbc")]
        store_suite!(@engine odbc_postgres in on_servers_odbc_postgres: $($test)+);
    };
    (@engine $engine:ident: $($test:ident)+) => {
        store_suite!(@engine $engine in $engine: $($test)+);
    };
    (@engine $engine:ident in $module:ident: $($test:ident)+) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let bench = crate::support::Bench::$engine().await;
                    crate::suite::$test(&bench).await;
                }
            )+
        }
    };
}

store_suite! {
    every_type_comes_back_as_it_went_in
    numbers_that_are_none_come_back_or_are_refused
    created_columns_are_discovered_as_they_were_planned
    text_is_ordered_bytewise
    numbers_and_dates_are_ordered_by_value
    filters_choose_exactly_their_rows
    rows_are_read_by_their_keys
    a_filter_may_name_a_column_that_is_not_read
    batches_keep_within_their_limits
    a_stream_is_one_snapshot
    a_dropped_stream_ends_its_reading
    an_empty_table_gives_an_empty_stream
    missing_tables_and_columns_are_named
    a_narrower_type_is_refused_before_reading
    null_where_none_is_expected_is_refused
    keys_are_checked_for_duplicates_and_nulls
    tables_are_listed_without_our_own
    first_apply_creates_the_table_with_its_key
    only_rows_that_differ_are_written
    deletes_are_counted_and_absent_ones_ignored
    replace_all_leaves_exactly_the_staged_rows
    replace_all_with_nothing_empties_the_table
    repeating_an_apply_changes_nothing
    the_cursor_moves_with_the_data
    marks_are_set_with_the_data
    a_cursor_never_goes_backwards
    of_two_who_begin_at_the_same_place_one_comes_too_late
    a_consumer_can_be_dropped
    an_error_in_the_stream_leaves_the_target_alone
    a_caller_who_goes_away_leaves_the_target_alone
    a_refusal_does_not_wait_for_the_stream
    the_slower_of_two_runs_is_refused
    a_slow_beginner_holds_up_nobody
    a_change_that_fails_late_is_undone_whole
    duplicate_keys_are_refused
    null_keys_are_refused
    null_in_a_column_that_takes_none_is_refused
    a_column_dropped_from_the_target_is_named
    a_column_is_added_only_when_allowed
    a_target_without_a_key_is_refused
    a_target_of_a_narrower_type_is_refused
    wrong_batches_are_refused
    unsound_plans_are_refused
    odd_names_are_only_names
    two_appliers_do_not_lose_rows
    a_pool_feed_is_read_by_sequence
    an_index_is_made_with_the_table
    errors_hold_no_values_and_no_password
    a_large_change_set_is_applied_exactly
    rows_may_come_in_any_order
    a_key_alone_is_a_table
    every_text_arrives_as_it_is
    a_row_may_be_one_empty_text
    floating_point_numbers_keep_every_bit
    a_key_that_comes_again_very_late_undoes_all
    duplicates_of_the_first_rows_are_counted
    a_value_too_long_very_late_undoes_all
    changes_that_fail_very_late_undo_all
    a_first_caller_who_goes_away_leaves_no_row
    a_deletion_finds_nothing_in_an_empty_table
    a_declared_empty_table_is_filled_by_name
}

// What can happen to a server and its connections only.
store_suite! { on servers:
    a_server_that_is_down_is_unreachable
    a_refused_sign_in_is_told_apart
    a_database_that_is_not_there_is_missing
    a_reading_that_is_cut_off_is_not_an_end
    an_apply_that_is_cut_off_leaves_the_target_alone
    tables_of_another_schema_are_reached_by_their_full_name
}
