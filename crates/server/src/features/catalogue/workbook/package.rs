//! Looks at the ZIP archive around a workbook before anything inside it is parsed.

use super::{Limits, WorkbookError};
use crate::platform::xlsx::{self, PackageFault};

/// Refuses what isn't a workbook, and what would swell beyond the limits.
pub(super) fn inspect(bytes: &[u8], limits: &Limits) -> Result<(), WorkbookError> {
    let package = xlsx::Limits {
        bytes_max: limits.bytes_max,
        unpacked_bytes_max: limits.unpacked_bytes_max,
        part_bytes_max: limits.part_bytes_max,
    };
    xlsx::inspect(bytes, &package).map_err(|fault| match fault {
        PackageFault::TooLarge => WorkbookError::FileTooLarge {
            bytes_max: limits.bytes_max,
        },
        PackageFault::NotXlsx(found) => WorkbookError::NotXlsx { found },
        PackageFault::Unreadable => WorkbookError::Unreadable,
        PackageFault::UnpacksTooLarge => WorkbookError::UnpacksTooLarge {
            bytes_max: limits.unpacked_bytes_max,
        },
    })
}
