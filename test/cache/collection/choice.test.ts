import assert from 'node:assert/strict'
import { keptAmong, type StoreItem } from '#cache'
import { type CollectionRequest, chooseItems } from '../../../cache/collection/choice.ts'
import { bytesToKeep } from '../../../cache/size-note.ts'

const NOW = Date.parse('2026-06-15T12:00:00Z')
const DAY = 24 * 3_600_000
const MB = 1_000_000

function item(id: string, fields: Partial<StoreItem> = {}): StoreItem {
  return {
    ...{ id, type: 'regular', description: id, label: '', bytes: MB, createdAt: NOW },
    ...{ lastUsedAt: NOW, seconds: 1, isMutable: false, isInUse: false, isFixed: false },
    ...{ images: [], children: [], parents: [] },
    contents: { paths: [], common: new Map(), layer: undefined, lock: undefined },
    ...fields,
  }
}

/** Each item on the one before it. */
function chain(...items: readonly StoreItem[]): readonly StoreItem[] {
  return items.map((one, at) => ({
    ...one,
    children: items.slice(at + 1, at + 2).map(({ id }) => id),
    parents: items.slice(Math.max(0, at - 1), at).map(({ id }) => id),
  }))
}

function chosen(
  items: readonly StoreItem[],
  request: Partial<CollectionRequest> = {},
  free = 0,
): readonly string[] {
  const whole = { all: false, matches: () => true, ...request }
  return chooseItems(items, whole, { free, now: NOW }).map(({ id }) => id)
}

describe('the choice of what is removed', () => {
  it('is of all that no image has and nobody uses, and with --all of more', () => {
    const items = [
      item('plain'),
      item('used', { isInUse: true }),
      item('fixed', { isFixed: true }),
      item('image', { type: 'image', isFixed: true, images: ['a'] }),
      item('shared', { images: ['a'] }),
      item('own', { type: 'internal' }),
    ]
    assert.deepEqual(chosen(items), ['plain'])
    assert.deepEqual([...chosen(items, { all: true })].sort(), ['own', 'plain', 'shared'])
    assert.deepEqual(chosen(items, { matches: ({ id }) => id === 'used' }), [])
  })

  it('leaves what something that stays was made on', () => {
    const items = chain(item('base'), item('middle'), item('top', { isInUse: true }), item('leaf'))
    assert.deepEqual(chosen(items), ['leaf'])
    const unused = chain(item('base'), item('middle'), item('top'))
    assert.deepEqual(chosen(unused), ['top', 'middle', 'base'])
    assert.deepEqual(chosen(unused, { matches: ({ id }) => id === 'base' }), [])
  })

  it('takes what is worth least until the limit is kept', () => {
    const items = [
      item('slow', { seconds: 100 }),
      item('fast', { seconds: 1 }),
      item('old', { seconds: 100, lastUsedAt: NOW - 40 * DAY }),
      item('large', { seconds: 10, bytes: 20 * MB }),
    ]
    const within = (maxUsed: number): readonly string[] => chosen(items, { limits: { maxUsed } })
    assert.deepEqual(within(23 * MB), [])
    assert.deepEqual(within(22 * MB), ['old'])
    assert.deepEqual(within(3 * MB), ['old', 'large'])
    assert.deepEqual(within(1 * MB), ['old', 'large', 'fast'])
    assert.deepEqual(within(1), ['old', 'large', 'fast', 'slow'])
  })

  it('counts what cannot be removed, and takes leaves first however little the base is worth', () => {
    const [base, top] = chain(item('base', { seconds: 0 }), item('top', { seconds: 50 }))
    assert.ok(base && top)
    const items = [item('image', { isFixed: true, bytes: 5 * MB }), base, top]
    assert.deepEqual(chosen(items, { limits: { maxUsed: 6 * MB } }), ['top'])
    assert.deepEqual(chosen(items, { limits: { maxUsed: 5 * MB } }), ['top', 'base'])
    assert.deepEqual(chosen(items, { limits: { maxUsed: 1 } }), ['top', 'base'])
  })

  it('survives a circle', () => {
    const one = item('one', { children: ['two'], parents: ['two'] })
    const two = item('two', { children: ['one'], parents: ['one'] })
    assert.deepEqual([...chosen([one, two])].sort(), ['one', 'two'])
  })

  it('says why an item stays: by itself, or for one that lies on it', () => {
    const [base, middle, top] = chain(
      ...[item('base'), item('middle'), item('top', { images: ['app:1', 'app:2'] })],
    )
    assert.ok(base && middle && top)
    const others = [
      item('free'),
      item('used', { isInUse: true, images: ['app:1'] }),
      item('own', { isFixed: true }),
    ]
    const items = [base, middle, top, ...others]
    assert.deepEqual(items.map(keptAmong(items)), [
      ...['a step on it: middle', 'a step on it: top', 'app:1 and 1 more'],
      ...[undefined, 'in use', 'part of the store'],
    ])
    assert.deepEqual([base, top].map(keptAmong([])), [undefined, 'app:1 and 1 more'])
  })

  it('says so of a circle, too, with and without something that keeps it', () => {
    const one = item('one', { children: ['two'], parents: ['two'] })
    const two = item('two', { children: ['one', 'top'], parents: ['one'] })
    assert.deepEqual([one, two].map(keptAmong([one, two])), [undefined, undefined])
    const items = [one, two, item('top', { images: ['app:1'], parents: ['two'] })]
    const reasons = ['a step on it: two', 'a step on it: one', 'app:1']
    assert.deepEqual(items.map(keptAmong(items)), reasons)
  })

  for (const [limits, used, free, kept] of [
    [{}, 50, 10, 0],
    [{ reserved: 30 }, 50, 10, 30],
    [{ maxUsed: 40 }, 50, 10, 40],
    [{ reserved: 30, maxUsed: 20 }, 50, 10, 30],
    [{ minFree: 5 }, 50, 10, 50],
    [{ minFree: 25 }, 50, 10, 35],
    [{ minFree: 100 }, 50, 10, -40],
    [{ minFree: 100, reserved: 20 }, 50, 10, 20],
    [{ maxUsed: 30, minFree: 25 }, 50, 10, 30],
    [{ maxUsed: 45, minFree: 25 }, 50, 10, 35],
  ] as const) {
    it(`keeps ${Math.max(0, kept)} of ${used} with ${free} free: ${JSON.stringify(limits)}`, () => {
      assert.equal(bytesToKeep(used, limits, free), Math.max(0, kept))
    })
  }
})
