// The directory and the rarer turns of a case, under a county's own rules. Departments and people come in by
// tables, people by invitation; somebody acts for two departments, somebody for a colleague; a department is
// renamed and another merged. Then a case stands still, is prolonged, ordered and proven, and what was left
// lying becomes a finding. Every page is looked over in both languages and in elder mode.

import * as cases from './admin/cases.mjs'
import * as departments from './admin/departments.mjs'
import * as findings from './admin/findings.mjs'
import * as people from './admin/people.mjs'

export const title = 'the administrators of the county'

export const pack = 'yunxi-trial'

export const steps = { ...departments.steps, ...people.steps, ...departments.changes, ...cases.steps, ...findings.steps }
