import type { DiffView, EntryView, ItemView } from '@/api/types'

/** One line of a comparison: a field of the entry, or one property of a data item. */
export interface Difference {
  key: string
  /** The data item it is about; absent for the entry's own fields. */
  item?: string
  /** Name of the field or property; absent where a whole item came or went. */
  field?: string
  change: string
  before?: string
  after?: string
}

const ITEM_PROPERTIES = {
  name: (item: ItemView) => item.name,
  data_type: (item: ItemView) => item.type_name,
  length: (item: ItemView) => item.length,
  scale: (item: ItemView) => item.scale,
  nullable: (item: ItemView) => item.nullable,
  key: (item: ItemView) => item.key,
  sensitivity: (item: ItemView) => item.sensitivity_name,
  mask: (item: ItemView) => item.mask_name,
  check: (item: ItemView) => item.check_name,
  standard: (item: ItemView) => item.standard,
}

function text(value: unknown): string | undefined {
  if (value === null || value === undefined || value === '') return undefined
  if (typeof value === 'boolean') return value ? '\u2713' : '\u2717'
  return String(value)
}

/** Each property of a data item in words; nothing where it has none. */
export function itemProperties(item: ItemView): [field: string, value: string | undefined][] {
  return Object.entries(ITEM_PROPERTIES).map(([field, valueOf]) => [field, text(valueOf(item))])
}

function fieldText(entry: EntryView | undefined, field: string): string | undefined {
  if (!entry) return undefined
  const { content } = entry
  const special: Record<string, unknown> = {
    name: entry.name,
    format: content.format_name,
    sharing_class: content.sharing_class.name,
    modes: content.modes.map((mode) => mode.name).join(' / '),
    update_cycle: content.update_cycle_name,
    authorising_contact: `${content.authorising_contact.name} ${content.authorising_contact.phone}`,
    technical_contact: `${content.technical_contact.name} ${content.technical_contact.phone}`,
  }
  const plain = (content as unknown as Record<string, unknown>)[field]
  return text(special[field] ?? (typeof plain === 'object' ? undefined : plain))
}

/** The lines of a comparison: the server says what differs, the two versions say from what to what. */
export function differences(diff: DiffView, older?: EntryView, newer?: EntryView): Difference[] {
  const fields = diff.fields.map((field) => ({
    key: field,
    field,
    change: 'changed',
    before: fieldText(older, field),
    after: fieldText(newer, field),
  }))
  const items = diff.items.flatMap(({ code, change, before, after }): Difference[] => {
    const item = after?.name ?? before?.name ?? code
    if (!before || !after) return [{ key: code, item, change, before: before?.code, after: after?.code }]
    return Object.entries(ITEM_PROPERTIES).flatMap(([field, valueOf]) => {
      const [was, is] = [text(valueOf(before)), text(valueOf(after))]
      return was === is
        ? []
        : [{ key: `${code}.${field}`, item, field: `item.${field}`, change, before: was, after: is }]
    })
  })
  return [...fields, ...items]
}
