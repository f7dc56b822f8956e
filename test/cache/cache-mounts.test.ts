import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CacheMountRequest, openStore, type Store } from '#cache'
import type { Wait } from '../../cache/filesystem/waits.ts'

describe('cache mounts', () => {
  let root: string
  let one: Store
  let other: Store
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tsbuild-cache-mounts-'))
    one = openStore(root)
    other = openStore(root)
  })
  afterEach(async () => {
    await one[Symbol.asyncDispose]()
    await other[Symbol.asyncDispose]()
    rmSync(root, { recursive: true })
  })

  type Sharing = CacheMountRequest['sharing']
  const request = (id: string, sharing: Sharing = 'shared'): CacheMountRequest => ({
    identity: { id },
    label: id,
    sharing,
    fill: async (directory) => writeFileSync(join(directory, 'filled'), id),
  })

  /** Whether the request is granted while others hold theirs. */
  async function isGranted(store: Store, wanted: CacheMountRequest): Promise<boolean> {
    const stop = new AbortController()
    const opening = store.mounts.open([wanted], { signal: stop.signal })
    const granted = opening.then(
      (opened) => opened,
      () => undefined,
    )
    const first = await Promise.race([granted, sleep(60)])
    stop.abort()
    await (await granted)?.[Symbol.asyncDispose]()
    return first !== undefined
  }

  it('says what has to be waited for, for as long as it lasts', async () => {
    const waits: Wait[] = []
    const third = openStore(root, { onWait: (wait) => void waits.push(wait) })
    const held = await one.mounts.open([request('a'), request('b', 'locked')])
    const opening = third.mounts.open([request('a'), request('b'), request('c', 'private')])
    await sleep(60)
    assert.deepEqual(
      waits.map(({ reason }) => reason),
      ['the cache mount b, which another step uses'],
    )
    assert.equal(await Promise.race([waits[0]?.ended, sleep(50, 'on')]), 'on')
    await held[Symbol.asyncDispose]()
    await (await opening)[Symbol.asyncDispose]()
    await waits[0]?.ended
    await third[Symbol.asyncDispose]()
  })

  it('keeps what is in it, and fills it once', async () => {
    {
      await using opened = await one.mounts.open([request('a')])
      const [path = ''] = opened.paths
      assert.equal(readFileSync(join(path, 'filled'), 'utf8'), 'a')
      writeFileSync(join(path, 'kept'), 'x')
    }
    await using again = await other.mounts.open([request('a'), request('b')])
    const [a = '', b = ''] = again.paths
    assert.equal(readFileSync(join(a, 'kept'), 'utf8'), 'x')
    assert.notEqual(a, b)
    assert.deepEqual(JSON.parse(readFileSync(join(dirname(a), 'about.json'), 'utf8')), { id: 'a' })
    assert.equal(statSync(join(root, 'mounts')).mode & 0o777, 0o700)
  })

  it('makes a directory of an id, whatever is in it', async () => {
    const ids = ['../../../etc', '/abs', 'a/b', 'a_b', '.', '..', '', 'x'.repeat(300), 'n\0l']
    await using opened = await one.mounts.open(ids.map((id) => request(id)))
    assert.equal(new Set(opened.paths).size, ids.length)
    for (const path of opened.paths) {
      assert.match(path.slice(root.length), /^\/mounts\/[0-9a-f]{64}\.0\/data$/)
    }
  })

  it('lets shared ones in together, locked ones alone, and gives private ones another', async () => {
    const grants = async (held: Sharing): Promise<readonly boolean[]> => {
      await using _ = await one.mounts.open([request('a', held)])
      const seen: boolean[] = []
      for (const sharing of ['shared', 'locked', 'private'] as const) {
        seen.push(await isGranted(other, request('a', sharing)))
      }
      return seen
    }
    assert.deepEqual(await grants('shared'), [true, false, true])
    assert.deepEqual(await grants('locked'), [false, false, true])
    assert.deepEqual(await grants('private'), [false, false, true])
    await using _ = await one.mounts.open([request('a')])
    await using own = await other.mounts.open([request('a', 'private')])
    assert.match(own.paths[0] ?? '', /\.1\/data$/)
  })

  it('waits for a locked one until it is given back', async () => {
    const held = await one.mounts.open([request('a', 'locked')])
    const opening = other.mounts.open([request('a', 'locked')])
    let isOpen = false
    void opening.then(() => {
      isOpen = true
    })
    await sleep(60)
    assert.equal(isOpen, false)
    await held[Symbol.asyncDispose]()
    await (await opening)[Symbol.asyncDispose]()
  })

  it('stops waiting when the build is cancelled', async () => {
    await using _ = await one.mounts.open([request('a', 'locked')])
    const signal = AbortSignal.timeout(20)
    await assert.rejects(other.mounts.open([request('a')], { signal }), { code: 'CANCELLED' })
  })

  it('gives a step that names one directory several times what it asks for', async () => {
    const sharings: readonly Sharing[] = ['shared', 'locked', 'private', 'private']
    await using opened = await one.mounts.open(sharings.map((sharing) => request('a', sharing)))
    const [first = '', second, ...own] = opened.paths
    assert.equal(first, second)
    assert.equal(new Set([first, ...own]).size, 3)
  })

  it('never lets two steps wait for each other', async () => {
    const names = ['a', 'b', 'c']
    const step = async (store: Store, ids: readonly string[]): Promise<void> => {
      await using _ = await store.mounts.open(ids.map((id) => request(id, 'locked')))
      await sleep(1)
    }
    const rounds = Array.from({ length: 12 }, (_, round) =>
      step(round % 2 === 0 ? one : other, round % 2 === 0 ? names : names.toReversed()),
    )
    await Promise.all(rounds)
  })

  describe('that are to be fresh', () => {
    const fresh = (id: string, sharing: Sharing = 'shared'): CacheMountRequest => {
      return { ...request(id, sharing), isFresh: true }
    }
    /** What is in the directory that a step gets, which then leaves `mark` there. */
    const visit = async (store: Store, wanted: CacheMountRequest, mark: string) => {
      await using opened = await store.mounts.open([wanted])
      const [path = ''] = opened.paths
      const names = readdirSync(path).sort()
      writeFileSync(join(path, mark), '')
      return names
    }

    for (const sharing of ['shared', 'locked', 'private'] as const) {
      it(`are emptied once since the store was opened, and filled anew: ${sharing}`, async () => {
        assert.deepEqual(await visit(one, request('a', sharing), 'old'), ['filled'])
        assert.deepEqual(await visit(one, fresh('a', sharing), 'first'), ['filled'])
        assert.deepEqual(await visit(one, fresh('a', sharing), 'second'), ['filled', 'first'])
        const kept = await visit(one, request('a', sharing), 'third')
        assert.deepEqual(kept, ['filled', 'first', 'second'])
        assert.deepEqual(await visit(other, fresh('a', sharing), 'other'), ['filled'])
        const tmp = readdirSync(join(root, 'tmp')).filter((name) => !name.endsWith('.lock'))
        const left = tmp.map((name) => readdirSync(join(root, 'tmp', name)))
        assert.ok(left.length > 0)
        assert.deepEqual(left.flat(), [])
      })
    }

    it('are never taken from a step that uses them', async () => {
      const waits: Wait[] = []
      const third = openStore(root, { onWait: (wait) => void waits.push(wait) })
      const held = await one.mounts.open([request('a')])
      writeFileSync(join(held.paths[0] ?? '', 'mine'), '')
      const opening = third.mounts.open([fresh('a'), fresh('b')])
      const again = third.mounts.open([fresh('a')])
      await sleep(60)
      assert.deepEqual(readdirSync(held.paths[0] ?? '').sort(), ['filled', 'mine'])
      assert.deepEqual(
        waits.map(({ reason }) => reason),
        ['the cache mount a, which another step uses'],
      )
      await held[Symbol.asyncDispose]()
      await using opened = await opening
      await using both = await again
      assert.deepEqual(both.paths[0], opened.paths[0])
      assert.deepEqual(readdirSync(opened.paths[0] ?? ''), ['filled'])
      await third[Symbol.asyncDispose]()
    })

    it('do not wait where they are private', async () => {
      await using held = await one.mounts.open([request('a')])
      writeFileSync(join(held.paths[0] ?? '', 'mine'), '')
      assert.deepEqual(await visit(other, request('a', 'private'), 'old'), ['filled'])
      assert.deepEqual(await visit(other, fresh('a', 'private'), 'new'), ['filled'])
      assert.deepEqual(readdirSync(held.paths[0] ?? '').sort(), ['filled', 'mine'])
    })

    it('let two steps empty what the other one uses too', async () => {
      const step = async (store: Store, ids: readonly string[]): Promise<void> => {
        await using _ = await store.mounts.open(ids.map((id) => fresh(id)))
        await sleep(1)
      }
      const rounds = Array.from({ length: 8 }, (_, round) =>
        round % 2 === 0 ? step(one, ['a', 'b']) : step(other, ['b', 'a']),
      )
      await Promise.all(rounds)
    })
  })

  it('releases what a failed one had taken, and keeps nothing half made', async () => {
    const broken: CacheMountRequest = {
      ...request('b', 'locked'),
      fill: async () => {
        throw new Error('broken')
      },
    }
    await assert.rejects(one.mounts.open([request('a', 'locked'), broken]), /broken/)
    await using opened = await other.mounts.open([request('a', 'locked'), request('b', 'locked')])
    assert.equal(readFileSync(join(opened.paths[1] ?? '', 'filled'), 'utf8'), 'b')
  })
})
