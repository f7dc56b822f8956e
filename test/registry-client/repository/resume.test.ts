import assert from 'node:assert/strict'
import { type Bytes, MEDIA_TYPES } from '#core'
import type { RegistryClient, Repository } from '#registry-client'
import {
  type FaultAction,
  MemoryRegistry,
  type MemoryRegistryOptions,
} from '../../support/registry/index.ts'
import { useRegistry } from '../fixture.ts'
import {
  ALICE,
  blobOf,
  clientFor,
  fixedCredentials,
  pieces,
  repositoryOf,
  someBytes,
} from '../support.ts'

const NAME = 'team/app'
const BYTES = someBytes(400_000)
const BLOB = blobOf(BYTES)
const AUTH = { kind: 'bearer', users: { [ALICE.username]: ALICE.password } } as const

describe('broken uploads', () => {
  const fixture = useRegistry({ auth: AUTH, credentials: ALICE, timeouts: { stored: 400 } })
  let opened = 0
  const open = (): Bytes => {
    opened++
    return pieces(BYTES)
  }
  beforeEach(() => {
    opened = 0
  })
  const put = (): Promise<void> => fixture.repository.put(BLOB, open)
  const stream = (): Promise<unknown> => fixture.repository.upload(MEDIA_TYPES.ociLayer, open)
  const sent = (): number =>
    fixture.registry.requests.reduce((sum, { bodySize }) => sum + bodySize, 0)
  const count = (method: string): number =>
    fixture.registry.requests.filter((one) => one.method === method && one.status !== 401).length

  function checkStored(): void {
    assert.deepEqual(fixture.registry.blob(NAME, BLOB.digest), BYTES)
    assert.equal(fixture.registry.openUploads, 0)
  }

  const ways = [
    ['PUT', put],
    ['PATCH', stream],
  ] as const
  for (const [method, send] of ways) {
    const half: Readonly<Record<string, () => FaultAction>> = {
      'a reset': () => ({ kind: 'reset', afterBytes: 200_000 }),
      'a 503': () => ({ kind: 'reply', reply: { status: 503 }, afterBytes: 200_000 }),
      'a 429': () => ({ kind: 'reply', reply: { status: 429 }, afterBytes: 200_000 }),
      'a 401': () => {
        fixture.registry.expireTokens()
        const reply = fixture.registry.challenge(`repository:${NAME}:pull,push`)
        return { kind: 'reply', reply, afterBytes: 200_000 }
      },
    }
    for (const [what, action] of Object.entries(half)) {
      it(`go on where the registry has them: ${method}, after ${what}`, async () => {
        let isFirst = true
        fixture.registry.failAsChosen((request) => {
          if (request.method !== method || !isFirst || !request.url.includes('_state'))
            return undefined
          isFirst = false
          return action()
        })
        await send()
        checkStored()
        assert.ok(sent() < BYTES.length * 1.3, `${sent()} bytes were sent`)
        assert.equal(opened, 2)
        const started = fixture.registry.requests.filter(
          (one) => one.method === 'POST' && one.status === 202,
        )
        assert.equal(started.length, 1)
      })
    }

    it(`start anew when the session is lost: ${method}`, async () => {
      const reply = { status: 404 }
      fixture.registry.fail({ method, path: /uploads/, after: 1, action: { kind: 'reply', reply } })
      fixture.registry.fail({
        method,
        path: /uploads/,
        action: { kind: 'reset', afterBytes: 200_000 },
      })
      fixture.registry.fail({ method: 'GET', path: /uploads/, action: { kind: 'reply', reply } })
      await send()
      checkStored()
    })

    it(`are over when only the last answer was lost: ${method}`, async () => {
      fixture.registry.fail({ method: 'PUT', action: { kind: 'unanswered' } })
      await send()
      checkStored()
      assert.equal(opened, 1)
      assert.ok(sent() <= BYTES.length)
    })
  }

  it('are given up when the registry loses every session', async () => {
    fixture.registry.fail({
      method: 'PATCH',
      times: 99,
      action: { kind: 'reset', afterBytes: 200_000 },
    })
    fixture.registry.fail({
      method: 'GET',
      path: /uploads/,
      times: 99,
      action: { kind: 'reply', reply: { status: 404 } },
    })
    await assert.rejects(stream(), { code: 'REGISTRY_UNREACHABLE' })
    assert.equal(count('PATCH'), 6)
  })

  it('are given up although they get further, when they start anew each time', async () => {
    const large = someBytes(3_000_000, 9)
    fixture.registry.failAsChosen(({ method, url }) => {
      if (method === 'PUT') return { kind: 'reply', reply: { status: 404 }, afterBytes: 10 }
      const isPatch = method === 'PATCH' && url.includes('_state=a%2Fb+c-0')
      return isPatch ? { kind: 'reset', afterBytes: 2_000_000 } : undefined
    })
    const sending = fixture.repository.upload(MEDIA_TYPES.ociLayer, () => pieces(large))
    await assert.rejects(sending, { code: 'NOT_FOUND' })
    assert.ok(count('POST') <= 7, `${count('POST')} sessions`)
  })

  it('are sent whole once more when the parts do not fit', async () => {
    fixture.registry.fail({
      method: 'PUT',
      action: {
        kind: 'reply',
        reply: { status: 400, body: '{"errors":[{"code":"DIGEST_INVALID"}]}' },
      },
    })
    await stream()
    checkStored()
    assert.equal(opened, 2)
  })

  for (const place of ['another path', 'another origin'] as const) {
    it(`follow a redirect to ${place}`, async () => {
      const at = place === 'another path' ? '' : fixture.registry.elsewhere
      fixture.registry.failAsChosen(({ method, url }) => {
        const isMoved = method === 'PUT' && !url.includes('moved')
        const location = `${at}${url}&moved=1`
        return isMoved
          ? { kind: 'reply', reply: { status: 307, headers: { location } } }
          : undefined
      })
      await put()
      checkStored()
      const isAsked = fixture.registry.elsewhereRequests.length > 0
      assert.equal(isAsked, place === 'another origin')
      for (const { headers } of fixture.registry.elsewhereRequests) {
        assert.equal(headers.authorization, undefined)
      }
    })
  }
})

describe('uploads in parts', () => {
  let registry: MemoryRegistry
  let client: RegistryClient
  const start = async (options: MemoryRegistryOptions): Promise<Repository> => {
    registry = await MemoryRegistry.start(options)
    client = clientFor({ credentials: fixedCredentials() })
    return repositoryOf(client, registry)
  }
  afterEach(async () => {
    await client.close()
    await registry.close()
  })
  const ranges = (): readonly (string | undefined)[] =>
    registry.requests
      .filter(({ method, status }) => method === 'PATCH' && status === 202)
      .map(({ headers }) => headers['content-range'])

  it('are what a proxy gets that limits the size of bodies', async () => {
    const repository = await start({ largestBody: 300_000 })
    await repository.put(BLOB, () => pieces(BYTES))
    assert.deepEqual(registry.blob(NAME, BLOB.digest), BYTES)
    assert.deepEqual(ranges(), ['0-262143', '262144-399999'])
    assert.equal(registry.openUploads, 0)
  })

  it('are what the next blob is sent in at once', async () => {
    const repository = await start({ largestBody: 300_000 })
    await repository.put(BLOB, () => pieces(BYTES))
    const before = registry.requests.filter(({ status }) => status === 413).length
    const other = someBytes(500_000, 5)
    await repository.put(blobOf(other), () => pieces(other))
    assert.deepEqual(registry.blob(NAME, blobOf(other).digest), other)
    assert.equal(registry.requests.filter(({ status }) => status === 413).length, before)
  })

  it('are no smaller than the registry wants', async () => {
    const repository = await start({ largestBody: 350_000, smallestPart: 300_000 })
    await repository.put(BLOB, () => pieces(BYTES))
    assert.deepEqual(ranges(), ['0-299999', '300000-399999'])
  })

  it('go on after the part that arrived', async () => {
    const repository = await start({ largestBody: 300_000 })
    registry.fail({ method: 'PATCH', after: 2, action: { kind: 'reset', afterBytes: 50_000 } })
    registry.fail({ method: 'PATCH', after: 1, action: { kind: 'unanswered' } })
    await repository.put(BLOB, () => pieces(BYTES))
    assert.deepEqual(registry.blob(NAME, BLOB.digest), BYTES)
    const posts = registry.requests.filter(({ method }) => method === 'POST')
    assert.equal(posts.length, 2)
  })

  it('take up what a registry has taken less of than was sent', async () => {
    const repository = await start({ largestBody: 300_000 })
    registry.fail({
      method: 'PATCH',
      action: {
        kind: 'reply',
        reply: { status: 202, headers: { range: '0-99999' } },
        afterBytes: 100_000,
      },
    })
    await repository.put(BLOB, () => pieces(BYTES))
    assert.deepEqual(registry.blob(NAME, BLOB.digest), BYTES)
  })

  it('are what a streamed layer becomes, too', async () => {
    const repository = await start({ largestBody: 300_000 })
    const { digest } = await repository.upload(MEDIA_TYPES.ociLayer, () => pieces(BYTES))
    assert.equal(digest, BLOB.digest)
    assert.deepEqual(registry.blob(NAME, digest), BYTES)
  })

  it('do not help where nothing is small enough', async () => {
    const repository = await start({ largestBody: 1000 })
    await assert.rejects(
      repository.put(BLOB, () => pieces(BYTES)),
      { code: 'REGISTRY_FAILED', status: 413 },
    )
    const small = blobOf(BYTES.subarray(0, 900))
    await repository.put(small, () => pieces(BYTES.subarray(0, 900)))
  })

  it('are left out where PATCH is refused: a stream is digested first', async () => {
    const repository = await start({ takesPatch: false })
    const { digest, size } = await repository.upload(MEDIA_TYPES.ociLayer, () => pieces(BYTES))
    assert.deepEqual([digest, size], [BLOB.digest, BLOB.size])
    assert.deepEqual(registry.blob(NAME, digest), BYTES)
    assert.equal(registry.openUploads, 0)
    await repository.upload(MEDIA_TYPES.ociLayer, () => pieces(BYTES.subarray(1)))
    assert.equal(registry.requests.filter(({ method }) => method === 'PATCH').length, 1)
  })

  it('report the size where PATCH is refused as well', async () => {
    const repository = await start({ takesPatch: false, largestBody: 300_000 })
    await assert.rejects(
      repository.put(BLOB, () => pieces(BYTES)),
      { status: 413, hint: /limits the size of an upload/ },
    )
  })
})
