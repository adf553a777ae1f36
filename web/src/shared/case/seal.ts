/** A form that somebody hands in: its kind of seal, and the scan once it is uploaded. */
export interface SealDraft {
  sealKind: string
  attachmentId: string
}
