// The main road, walked as each person would walk it: described, published, found, requested, decided in
// time, delivered exactly once, proven. `tongqu demo --headless` walks the same road through the API.

import { ask } from './road/ask.mjs'
import { change } from './road/change.mjs'
import { decide } from './road/decide.mjs'
import { find } from './road/find.mjs'
import { prove } from './road/prove.mjs'
import { publish } from './road/publish.mjs'

export const title = 'the main road'

export const steps = { ...publish, ...find, ...ask, ...decide, ...change, ...prove }
