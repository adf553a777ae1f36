/** Colour and icon that go with a word of the server. Never the only carrier of meaning: the word stands beside. */
import type { IconName } from './icons'

export type Tone = 'blue' | 'green' | 'amber' | 'red' | 'grey'

export interface Look {
  tone: Tone
  icon?: IconName
}

const sharing: Record<string, Look> = {
  unconditional: { tone: 'green', icon: 'check' },
  conditional: { tone: 'amber', icon: 'shield' },
  not_shared: { tone: 'grey', icon: 'lock' },
}

/** How a sharing class is drawn. Packs know different classes; an unfamiliar one is drawn plainly. */
export function sharingLook(code: string): Look {
  return sharing[code] ?? { tone: 'blue' }
}

const modes: Record<string, IconName> = { table: 'table', file: 'file', interface: 'interface' }

export function modeIcon(code: string | undefined): IconName {
  return (code && modes[code]) || 'table'
}

const states: Record<string, Look> = {
  draft: { tone: 'grey', icon: 'file' },
  submitted: { tone: 'blue', icon: 'clock' },
  returned: { tone: 'amber', icon: 'warn' },
  published: { tone: 'green', icon: 'check' },
  superseded: { tone: 'grey' },
  queued: { tone: 'grey', icon: 'clock' },
  running: { tone: 'blue', icon: 'refresh' },
  succeeded: { tone: 'green', icon: 'check' },
  stopped: { tone: 'red', icon: 'alert' },
  failed: { tone: 'red', icon: 'alert' },
  open: { tone: 'blue', icon: 'clock' },
  completed: { tone: 'green', icon: 'check' },
  not_accepted: { tone: 'red', icon: 'close' },
  refused: { tone: 'red', icon: 'close' },
  withdrawn: { tone: 'grey' },
}

/** How a state is drawn; unknown ones plainly. */
export function stateLook(code: string): Look {
  return states[code] ?? { tone: 'grey' }
}

const grants: Record<string, Look> = {
  in_force: { tone: 'green', icon: 'check' },
  awaiting_approval: { tone: 'amber', icon: 'clock' },
  suspended: { tone: 'amber', icon: 'pause' },
  expired: { tone: 'grey', icon: 'clock' },
  ended: { tone: 'grey', icon: 'close' },
}

/** How the standing of a grant is drawn. */
export function grantLook(code: string): Look {
  return grants[code] ?? { tone: 'grey' }
}
