import type { StoreStateView } from '@/api/types'
import type { Look } from '@/shared/ui/tones'

const nodes: Record<string, Look> = {
  serving: { tone: 'green', icon: 'check' },
  late: { tone: 'amber', icon: 'warn' },
  silent: { tone: 'red', icon: 'alert' },
  stopped: { tone: 'grey', icon: 'pause' },
}
const stores: Record<string, Look> = {
  reachable: { tone: 'green', icon: 'check' },
  unreachable: { tone: 'red', icon: 'alert' },
  unknown: { tone: 'grey', icon: 'clock' },
}
const logs: Record<string, Look> = {
  following: { tone: 'green', icon: 'check' },
  opening: { tone: 'grey', icon: 'clock' },
  failing: { tone: 'red', icon: 'alert' },
}
const agents: Record<string, Look> = {
  connected: { tone: 'green', icon: 'check' },
  away: { tone: 'red', icon: 'alert' },
  invited: { tone: 'grey', icon: 'clock' },
  code_over: { tone: 'amber', icon: 'warn' },
  certificate_over: { tone: 'red', icon: 'alert' },
  revoked: { tone: 'grey', icon: 'pause' },
}
const disks: Record<string, Look> = {
  ok: { tone: 'green', icon: 'check' },
  low: { tone: 'amber', icon: 'warn' },
  full: { tone: 'red', icon: 'alert' },
}

export const nodeLook = (state: string): Look => nodes[state] ?? { tone: 'grey' }
export const storeLook = (state: string): Look => stores[state] ?? { tone: 'grey' }
export const diskLook = (state: string): Look => disks[state] ?? { tone: 'grey' }

export const agentLook = (state: string): Look => agents[state] ?? { tone: 'grey' }

export const logLook = (state: string): Look => logs[state] ?? { tone: 'grey' }

/** `12.4`, in MB of 1024² bytes; nothing where it isn't known. */
export function megabytes(bytes: number | null | undefined): string | null {
  return typeof bytes === 'number' ? (bytes / 1024 ** 2).toFixed(1) : null
}

/** `12.4`, in GB of 1024³ bytes. */
export function gigabytes(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(1)
}

const URGENCY = ['unreachable', 'unknown', 'reachable']

/** What doesn't answer stands on top; otherwise the order of the server. */
export function troubledFirst(rows: readonly StoreStateView[]): StoreStateView[] {
  return [...rows].sort((a, b) => URGENCY.indexOf(a.state) - URGENCY.indexOf(b.state))
}
