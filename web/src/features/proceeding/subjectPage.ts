/** Pages of the things that a case may be about; some have none. */
const PAGES: Record<string, string> = {
  entry: '/catalog/',
  request: '/apply/request/',
  case: '/desk/cases/',
}

export function subjectPage(kind: string, id: string): string | undefined {
  const page = PAGES[kind]
  return page && id ? page + id : undefined
}
