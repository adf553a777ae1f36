/** How a demand and an application upward are drawn. The word stands beside. */
import type { Look } from '@/shared/ui/tones'

const demands: Record<string, Look> = {
  open: { tone: 'blue', icon: 'clock' },
  answered: { tone: 'green', icon: 'check' },
  withdrawn: { tone: 'grey' },
}

const applications: Record<string, Look> = {
  merged: { tone: 'blue', icon: 'flow' },
  sent: { tone: 'amber', icon: 'upload' },
  answered: { tone: 'green', icon: 'check' },
}

const lines: Record<string, Look> = {
  delivered: { tone: 'green', icon: 'check' },
  missing: { tone: 'amber', icon: 'clock' },
  elsewhere: { tone: 'grey' },
}

export const demandLook = (state: string): Look => demands[state] ?? { tone: 'grey' }
export const upwardLook = (state: string): Look => applications[state] ?? { tone: 'grey' }
export const lineLook = (state: string): Look => lines[state] ?? { tone: 'grey' }
