use std::sync::Arc;

use arrow_array::{Int8Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use tongqu_domain::exchange::diff::same_row;
use tongqu_domain::exchange::{Column, ColumnType, ValueRef};

use super::{BatchBuilder, OP_COLUMN, Op, Rows, columns_of};

fn column(name: &str, column_type: ColumnType) -> Column {
    Column {
        name: name.to_owned(),
        column_type,
        nullable: true,
    }
}

fn columns() -> Vec<Column> {
    let decimal = ColumnType::Decimal {
        precision: 38,
        scale: 4,
    };
    vec![
        column("boolean", ColumnType::Boolean),
        column("int16", ColumnType::Int16),
        column("int32", ColumnType::Int32),
        column("int64", ColumnType::Int64),
        column("uint64", ColumnType::UInt64),
        column("float32", ColumnType::Float32),
        column("float64", ColumnType::Float64),
        column("decimal", decimal),
        column("text", ColumnType::Text { chars_max: Some(7) }),
        column("bytes", ColumnType::Bytes),
        column("date", ColumnType::Date),
        column("time", ColumnType::Time),
        column("timestamp", ColumnType::Timestamp),
        column("instant", ColumnType::Instant),
    ]
}

#[test]
fn every_type_comes_back_as_it_went_in() {
    let row = [
        ValueRef::Bool(true),
        ValueRef::Int(-32_768),
        ValueRef::Int(i32::MAX.into()),
        ValueRef::Int(i64::MIN),
        ValueRef::UInt(u64::MAX),
        ValueRef::Float(0.5),
        ValueRef::Float(f64::NEG_INFINITY),
        ValueRef::Decimal {
            unscaled: -(10_i128.pow(38) - 1),
            scale: 4,
        },
        ValueRef::Text("𠮷"),
        ValueRef::Bytes(&[0, 255]),
        ValueRef::Date(-1),
        ValueRef::Time(86_399_999_999),
        ValueRef::Timestamp(-1),
        ValueRef::Instant(1),
    ];
    let nulls = [ValueRef::Null; 14];
    let mut builder = BatchBuilder::new(&columns());
    builder.push_row(&row).unwrap();
    builder.push_row(&nulls).unwrap();
    let batch = builder.finish();
    assert_eq!(columns_of(batch.schema_ref()).unwrap(), columns());

    let rows = Rows::new(&batch).unwrap();
    rows.check_columns(&columns()).unwrap();
    let mut out = Vec::new();
    rows.fill(0, &mut out);
    assert!(same_row(&out, &row));
    rows.fill(1, &mut out);
    assert!(same_row(&out, &nulls));
    assert_eq!(
        (rows.len(), rows.op(0), rows.null_count(3)),
        (2, Op::Upsert, 1)
    );
}

#[test]
fn changes_carry_their_operation() {
    let columns = [Column {
        name: "id".to_owned(),
        column_type: ColumnType::Int64,
        nullable: false,
    }];
    let mut builder = BatchBuilder::for_changes(&columns);
    builder
        .push_change(Op::Upsert, &[ValueRef::Int(1)])
        .unwrap();
    builder
        .push_change(Op::Delete, &[ValueRef::Int(2)])
        .unwrap();
    let batch = builder.finish();
    let rows = Rows::new(&batch).unwrap();
    assert_eq!(
        (rows.op(0), rows.op(1), rows.columns().len()),
        (Op::Upsert, Op::Delete, 1)
    );
}

#[test]
fn a_value_that_would_change_is_refused() {
    let misfit = |column_type, value: ValueRef<'_>| {
        let mut builder = BatchBuilder::new(&[column("c", column_type)]);
        builder.push_row(&[value]).map_err(|misfit| misfit.found)
    };
    let money = ColumnType::Decimal {
        precision: 5,
        scale: 2,
    };
    assert_eq!(
        misfit(ColumnType::Int16, ValueRef::Int(32_768)),
        Err("a number out of its range")
    );
    assert_eq!(
        misfit(ColumnType::UInt64, ValueRef::Int(-1)),
        Err("a number out of its range")
    );
    assert_eq!(misfit(ColumnType::Int64, ValueRef::Text("1")), Err("text"));
    assert_eq!(
        misfit(ColumnType::Float32, ValueRef::Float(0.1)),
        Err("a number that single precision would round")
    );
    assert_eq!(
        misfit(ColumnType::Float32, ValueRef::Float(f64::NAN)),
        Ok(())
    );
    assert_eq!(
        misfit(
            money,
            ValueRef::Decimal {
                unscaled: 1,
                scale: 3
            }
        ),
        Err("a number with more digits after the point")
    );
    assert_eq!(
        misfit(money, ValueRef::Int(1_000)),
        Err("a number with more digits")
    );
    assert_eq!(
        misfit(
            money,
            ValueRef::Decimal {
                unscaled: 1_230,
                scale: 3
            }
        ),
        Ok(())
    );
    assert_eq!(
        misfit(ColumnType::Time, ValueRef::Time(-1)),
        Err("a time beyond one day")
    );
    assert_eq!(
        misfit(ColumnType::Timestamp, ValueRef::Instant(0)),
        Err("a date and time with zone")
    );
}

#[test]
fn an_operation_other_than_0_and_1_is_refused() {
    let schema = Schema::new(vec![Field::new(OP_COLUMN, DataType::Int8, false)]);
    let batch = RecordBatch::try_new(
        Arc::new(schema),
        vec![Arc::new(Int8Array::from(vec![0, 2]))],
    )
    .unwrap();
    assert_eq!(
        Rows::new(&batch).err().unwrap().code(),
        "store.batch_invalid"
    );
}
