export interface TableColumn {
  /** Name of the slot that draws the cells. */
  key: string
  title: string
  align?: 'end'
  /** The title is for screen readers only. */
  quiet?: boolean
  /** The cells name their rows. */
  header?: boolean
}
