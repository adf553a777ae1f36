/** Where departments stand around the platform, and how thick the lines between are. */
import type { FlowView } from '@/api/types'

/** More departments than this and the quietest are drawn as one, unless all are asked for. */
export const NODES_MAX = 24

/** Leaves room for the longest caption on both sides. */
export const WIDTH = 1140
export const HEIGHT = 620
/** What lies above and below the ring: a circle and two lines of captions. */
const MARGIN = 78
const RING_X = 350
export const HUB_RADIUS = 66
const BEND = 34
const LINE = { min: 1.5, max: 8 }

export interface FlowNode {
  id: string
  /** How many departments it stands for; 1 unless it stands for all the rest. */
  departments: number
  name: string
  shortName: string
  given: number
  received: number
  failing: boolean
}

export interface PlacedNode extends FlowNode {
  x: number
  y: number
  radius: number
  caption: { x: number; y: number; anchor: 'start' | 'middle' | 'end' }
  /** Towards the platform; absent if nothing was given. */
  giving?: { path: string; width: number }
  /** From the platform; absent if nothing was received. */
  receiving?: { path: string; width: number }
}

/** Departments as nodes, in the order of the server, the quietest of more than `most` in one. */
export function nodesOf(flows: readonly FlowView[], most = NODES_MAX): FlowNode[] {
  const nodes = flows.map((flow) => ({
    id: flow.department_id,
    departments: 1,
    name: flow.name,
    shortName: flow.short_name || flow.name,
    given: flow.given_rows,
    received: flow.received_rows,
    failing: flow.state === 'failing',
  }))
  if (nodes.length <= most) return nodes
  const rest = nodes.slice(most - 1)
  return [
    ...nodes.slice(0, most - 1),
    {
      id: '',
      departments: rest.length,
      name: '',
      shortName: '',
      given: rest.reduce((sum, node) => sum + node.given, 0),
      received: rest.reduce((sum, node) => sum + node.received, 0),
      failing: rest.some((node) => node.failing),
    },
  ]
}

/** Room for a caption, in widths of a Chinese character; a Latin letter takes about half of it. */
const CAPTION_WIDTHS = 10

/** As much of a name as there is room for beside its circle. */
export function captionOf(name: string): string {
  let room = CAPTION_WIDTHS
  const letters = [...name]
  const end = letters.findIndex((letter) => (room -= letter < '\u2e80' ? 0.5 : 1) < 0)
  return end < 0 ? name : `${letters.slice(0, end).join('').trimEnd()}…`
}

/** More circles than usual need a taller ring, or they would cover their neighbours' captions. */
export function heightOf(nodes: readonly FlowNode[]): number {
  return nodes.length > NODES_MAX ? HEIGHT + 8 * (nodes.length - NODES_MAX) + 60 : HEIGHT
}

/** Thickness by the square root of the rows, so that the area seen grows with them and small flows stay in sight. */
function thickness(rows: number, most: number): number {
  return Math.round((LINE.min + (LINE.max - LINE.min) * Math.sqrt(rows / Math.max(1, most))) * 10) / 10
}

/** Every second of the busiest on the other side, so that thick lines don't all lie together. */
function order(count: number): number[] {
  const even = Array.from({ length: Math.ceil(count / 2) }, (_, at) => at * 2)
  const odd = Array.from({ length: Math.floor(count / 2) }, (_, at) => at * 2 + 1)
  return [...even, ...odd.reverse()]
}

export function place(nodes: readonly FlowNode[]): PlacedNode[] {
  const most = Math.max(...nodes.flatMap((node) => [node.given, node.received]), 1)
  const radius = nodes.length > NODES_MAX ? 17 : nodes.length > 16 ? 21 : 27
  const height = heightOf(nodes)
  const centre = { x: WIDTH / 2, y: height / 2 }
  const ring = { x: RING_X, y: height / 2 - MARGIN }
  const round = (value: number) => Math.round(value * 10) / 10
  return order(nodes.length).map((from, at) => {
    const node = nodes[from]!
    const angle = (at / nodes.length) * 2 * Math.PI - Math.PI / 2
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
    const [x, y] = [centre.x + ring.x * cos, centre.y + ring.y * sin]
    const length = Math.hypot(x - centre.x, y - centre.y)
    const [ux, uy] = [(x - centre.x) / length, (y - centre.y) / length]
    // Both ways of a department bend to opposite sides of the straight line.
    const curve = (side: 1 | -1, inwards: boolean) => {
      const near = [centre.x + ux * (HUB_RADIUS + 4) - uy * 7 * side, centre.y + uy * (HUB_RADIUS + 4) + ux * 7 * side]
      const far = [x - ux * (radius + 3) - uy * 5 * side, y - uy * (radius + 3) + ux * 5 * side]
      const middle = [(near[0]! + far[0]!) / 2 - uy * BEND * side, (near[1]! + far[1]!) / 2 + ux * BEND * side]
      const [begin, end] = inwards ? [far, near] : [near, far]
      return `M${begin.map(round).join(' ')} Q${middle.map(round).join(' ')} ${end.map(round).join(' ')}`
    }
    const anchor = Math.abs(cos) < 0.35 ? 'middle' : cos > 0 ? 'start' : 'end'
    // Where circles stand close above one another's captions, every second caption keeps more of a distance.
    const away = nodes.length > 16 && at % 2 === 1 ? 19 : 0
    return {
      ...node,
      x: round(x),
      y: round(y),
      radius,
      caption: {
        x: round(anchor === 'middle' ? x : x + Math.sign(cos) * (radius + 8)),
        y: round(anchor === 'middle' ? y + (sin > 0 ? radius + 18 + away : -radius - 9 - away) : y + 5),
        anchor,
      },
      ...(node.given > 0 && { giving: { path: curve(1, true), width: thickness(node.given, most) } }),
      ...(node.received > 0 && { receiving: { path: curve(-1, false), width: thickness(node.received, most) } }),
    }
  })
}
