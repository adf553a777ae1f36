import { expect, test } from 'vitest'
import type { FlowView } from '@/api/types'
import { captionOf, HEIGHT, heightOf, NODES_MAX, WIDTH, nodesOf, place } from './topology'

function flow(at: number, given: number, received: number): FlowView {
  return {
    department_id: `dep-${at}`,
    name: `Department ${at}`,
    short_name: `D${at}`,
    given_rows: given,
    collections: 1,
    received_rows: received,
    deliveries: 1,
    state: at === 30 ? 'failing' : 'ok',
  }
}

test('every department has its place inside the picture, and only flows that there were have lines', () => {
  const placed = place(nodesOf([flow(1, 100, 0), flow(2, 0, 25), flow(3, 0, 0)]))
  expect(placed.map((node) => node.id).sort()).toEqual(['dep-1', 'dep-2', 'dep-3'])
  for (const node of placed) {
    expect(node.x).toBeGreaterThan(0)
    expect(node.x).toBeLessThan(WIDTH)
    expect(node.y).toBeGreaterThan(0)
    expect(node.y).toBeLessThan(HEIGHT)
  }
  const byId = Object.fromEntries(placed.map((node) => [node.id, node]))
  expect(byId['dep-1']!.giving?.width).toBe(8)
  expect(byId['dep-1']!.receiving).toBeUndefined()
  expect(byId['dep-2']!.receiving?.width).toBe(4.8)
  expect(byId['dep-3']!.giving).toBeUndefined()
})

test('too many departments: the quietest become one, and nothing is lost', () => {
  const flows = Array.from({ length: 40 }, (_, at) => flow(at, 100 - at, at))
  const nodes = nodesOf(flows)
  expect(nodes).toHaveLength(NODES_MAX)
  expect(nodes.reduce((sum, node) => sum + node.departments, 0)).toBe(40)
  expect(nodes.reduce((sum, node) => sum + node.given, 0)).toBe(flows.reduce((sum, one) => sum + one.given_rows, 0))
  expect(nodes.at(-1)).toMatchObject({ id: '', departments: 17, failing: true })
})

test('no two departments stand on the same spot', () => {
  const spots = place(nodesOf(Array.from({ length: 24 }, (_, at) => flow(at, 1, 1)))).map(({ x, y }) => `${x} ${y}`)
  expect(new Set(spots).size).toBe(24)
})

test('all departments can be drawn one by one', () => {
  const flows = Array.from({ length: 40 }, (_, at) => flow(at, 1, 1))
  const nodes = nodesOf(flows, Infinity)
  expect(nodes.map((node) => node.id)).toEqual(flows.map((one) => one.department_id))
  const placed = place(nodes)
  for (const [at, { x, y, radius }] of placed.entries()) {
    expect(y + radius).toBeLessThan(heightOf(nodes))
    const next = placed[(at + 1) % placed.length]!
    expect(Math.hypot(next.x - x, next.y - y)).toBeGreaterThan(2 * radius)
  }
})

test('a caption has the room that it needs, on both sides of the picture', () => {
  const LETTER = 15
  expect(captionOf('人力资源和社会保障局')).toBe('人力资源和社会保障局')
  expect(captionOf('政务服务和大数据管理局')).toBe('政务服务和大数据管理…')
  expect(captionOf('12 other departments')).toBe('12 other departments')
  // The longest: ten characters, the dots and the cross of a failure.
  const widest = LETTER * 12
  for (const { caption } of place(nodesOf(Array.from({ length: 24 }, (_, at) => flow(at, 1, 1))))) {
    if (caption.anchor === 'end') expect(caption.x - widest).toBeGreaterThanOrEqual(0)
    if (caption.anchor === 'start') expect(caption.x + widest).toBeLessThanOrEqual(WIDTH)
  }
})
