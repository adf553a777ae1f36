/** The ten steps: whom to sign in as, and where each leads. Texts stand in the messages, by the step's id. */
import { api, read } from '@/api/client'

export interface TourStep {
  id: string
  /** Login name of the demo that sees most here. */
  login: string
  /** The page of the step. Asks the server for something real to show; a list where there is none. */
  findPage: () => Promise<string>
}

/** The first published entry that an officer may ask for, the provider deciding. */
async function conditionalEntry(): Promise<string | undefined> {
  const query = { sharing_class: 'conditional', mounted: 'true', size: 20 }
  const { items } = await read(api.GET('/api/v1/catalogue/entries', { params: { query } }))
  return (items.find((entry) => entry.may_request) ?? items[0])?.entry_id
}

/** Looks back through this many pages of runs for one that failed. */
const RUN_PAGES_MAX = 12

async function failedRun(): Promise<string | undefined> {
  let cursor: string | undefined
  for (let page = 0; page < RUN_PAGES_MAX; page++) {
    const query = { size: 100, ...(cursor === undefined ? {} : { cursor }) }
    const { items, next_cursor } = await read(api.GET('/api/v1/runs', { params: { query } }))
    const failed = items.find((run) => run.state === 'failed')
    if (failed) return failed.run_id
    if (!next_cursor) return undefined
    cursor = next_cursor
  }
  return undefined
}

async function openCase(processes: readonly string[]): Promise<string | undefined> {
  const { items } = await read(api.GET('/api/v1/cases', { params: { query: { state: 'open', size: 100 } } }))
  return items.find((line) => processes.includes(line.process_id))?.case_id
}

const at = (page: string) => () => Promise.resolve(page)

/** The page of the thing found; the list where nothing is found or the reader may not look. */
function leadTo(find: () => Promise<string | undefined>, page: (id: string) => string, list: string) {
  return async () => {
    const id = await find().catch(() => undefined)
    return id === undefined ? list : page(encodeURIComponent(id))
  }
}

export const steps: readonly TourStep[] = [
  { id: 'home', login: 'minzheng', findPage: at('/') },
  { id: 'search', login: 'minzheng', findPage: at('/catalog?q=hunyin') },
  { id: 'entry', login: 'minzheng', findPage: leadTo(conditionalEntry, (id) => `/catalog/${id}`, '/catalog') },
  { id: 'apply', login: 'minzheng', findPage: leadTo(conditionalEntry, (id) => `/apply/${id}`, '/catalog') },
  { id: 'desk', login: 'gongan', findPage: at('/desk') },
  { id: 'deliver', login: 'yunying', findPage: at('/desk') },
  { id: 'exchange', login: 'yunying', findPage: leadTo(failedRun, (id) => `/exchange/runs/${id}`, '/exchange') },
  {
    id: 'dispute',
    login: 'zhuguan',
    findPage: leadTo(
      () => openCase(['dispute']),
      (id) => `/desk/cases/${id}`,
      '/desk/cases',
    ),
  },
  { id: 'supervision', login: 'zhuguan', findPage: at('/desk/supervision') },
  { id: 'ledger', login: 'shenji', findPage: at('/audit') },
]
