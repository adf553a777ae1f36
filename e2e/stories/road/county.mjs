// The invented county's people, and what its departments hold.

export const STATISTICS = 'tongji'
export const CIVIL_AFFAIRS = 'minzheng'
export const AUTHORITY = 'zhuguan'
export const OPERATOR = 'yunying'
export const AUDITOR = 'shenji'

export const OPEN_ENTRY = '村级行政区划代码信息'
export const CONDITIONAL_ENTRY = '行政区划隶属关系信息'
export const RETURNED_ENTRY = '居民收支调查汇总信息'

/** Rows of the real table, as the portal writes the number. */
export const SOURCE_ROWS = '620,573'
