import assert from 'node:assert/strict'
import { formatPlatform, hostPlatform, isSameMachine, parsePlatform, platformDistance } from '#core'

describe('platform', () => {
  const table: readonly (readonly [string, string])[] = [
    ['linux/amd64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['LINUX/AMD64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm64/v8.0', 'linux/arm64'],
    ['linux/arm64/9', 'linux/arm64/v9'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/i386', 'linux/386'],
    ['linux/bar', 'linux/bar'],
    ['windows/amd64', 'windows/amd64'],
    ['windows/arm', 'windows/arm/v7'],
    ['windows/bar', 'windows/bar'],
    ['macos/arm64', 'darwin/arm64'],
    ['foo/bar', 'foo/bar'],
    ['amd64/v2', 'amd64/v2'],
    ['windows(10.0.20348.1)/amd64', 'windows(10.0.20348.1)/amd64'],
    ['windows(10.0.20348.1+win32k+a)/amd64', 'windows(10.0.20348.1+a+win32k)/amd64'],
    ['linux()/amd64', 'linux/amd64'],
    ['linux(a%2Fb%25)/amd64/v2', 'linux(a%2Fb%25)/amd64/v2'],
    ['arm64', `${hostPlatform().os}/arm64`],
    ['windows', `windows/${hostPlatform().architecture}`],
    ['local', formatPlatform(hostPlatform())],
  ]
  for (const [text, expected] of table) {
    it(`reads ${text} as ${expected}, and that again`, () => {
      assert.equal(formatPlatform(parsePlatform(text)), expected)
      assert.equal(formatPlatform(parsePlatform(expected)), expected)
    })
  }

  const refused = ['', '/', 'linux/', 'beos', 'linux/amd64/v2/x', '../..', '*/amd64', 'linux/a b']
  for (const text of [...refused, 'linux(1/amd64', 'linux(%zz)/amd64', 'lin%75x/amd64']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parsePlatform(text), { code: 'PLATFORM_MISMATCH' })
    })
  }

  it('keeps the version and the features of the system apart', () => {
    assert.deepEqual(parsePlatform('windows(10.0.20348.1+win32k)/amd64'), {
      os: 'windows',
      architecture: 'amd64',
      'os.version': '10.0.20348.1',
      'os.features': ['win32k'],
    })
  })

  /** For each platform what serves it, best first; nothing else of any row does. */
  const orders: Readonly<Record<string, string>> = {
    'linux/amd64': 'linux/amd64 linux/386',
    'linux/amd64/v2': 'linux/amd64/v2 linux/amd64 linux/386',
    'linux/amd64/v4': 'linux/amd64/v4 linux/amd64/v3 linux/amd64/v2 linux/amd64 linux/386',
    'linux/386': 'linux/386',
    'linux/arm/v5': 'linux/arm/v5',
    'linux/arm/v7': 'linux/arm/v7 linux/arm/v6 linux/arm/v5',
    'linux/arm/v8': 'linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5',
    'linux/arm64': 'linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5',
    'linux/arm64/v8.2':
      'linux/arm64/v8.2 linux/arm64/v8.1 linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5',
    'linux/arm64/v9':
      'linux/arm64/v9 linux/arm64/v8.5 linux/arm64/v8.4 linux/arm64/v8.3 linux/arm64/v8.2 linux/arm64/v8.1 linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5',
    'linux/riscv64': 'linux/riscv64',
    'windows/amd64': 'windows/amd64',
    'freebsd/amd64': 'freebsd/amd64',
  }
  const everything = new Set(Object.values(orders).flatMap((row) => row.split(' ')))
  for (const [wanted, row] of Object.entries(orders)) {
    it(`is served for ${wanted} by ${row}, in this order`, () => {
      const serving = [...everything]
        .flatMap((text) => {
          const distance = platformDistance(parsePlatform(wanted), parsePlatform(text))
          return distance === undefined ? [] : [{ text, distance }]
        })
        .sort((a, b) => a.distance - b.distance)
      assert.equal(serving.map(({ text }) => text).join(' '), row)
      assert.equal(new Set(serving.map(({ distance }) => distance)).size, serving.length)
    })
  }

  const releases: readonly (readonly [wanted: string, offered: string, serves: boolean])[] = [
    ['', '10.0.17763.1', true],
    ['10.0.17763.5', '', true],
    ['10.0.17763.5', '10.0.17763.1', true],
    ['10.0.17763.5', '10.0.14393.1', false],
    ['10.0.20348', '10.0.20348.900', true],
    ['10.0.20348', '10.0.17763.1', false],
    ['10.0.22621.1', '10.0.20348.1', true],
    ['10.0.26100.1', '10.0.20348.1', true],
    ['10.0.27000.1', '10.0.20348.1', false],
    ['10.0.20348.1', '10.0.26100.1', false],
    ['10.0.20348.1', '11.0.20348.1', false],
  ]
  for (const [wanted, offered, serves] of releases) {
    it(`${serves ? 'serves' : 'does not serve'} Windows ${wanted} with ${offered}`, () => {
      const release = (version: string) => parsePlatform(`windows(${version})/amd64`)
      assert.equal(platformDistance(release(wanted), release(offered)) !== undefined, serves)
    })
  }

  it('is served by no more features than are wanted, and better by more of them', () => {
    const distance = (wanted: string, offered: string): number | undefined =>
      platformDistance(
        parsePlatform(`linux${wanted}/amd64`),
        parsePlatform(`linux${offered}/amd64`),
      )
    assert.equal(distance('(+a+b)', '(+a+b)'), 0)
    assert.equal(distance('(+a+b)', '(+b)'), 1)
    assert.equal(distance('(+a+b)', ''), 2)
    assert.equal(distance('(+a)', '(+b)'), undefined)
    assert.equal(distance('', '(+a)'), undefined)
    const windows = parsePlatform('windows(+win32k)/amd64')
    assert.equal(platformDistance(parsePlatform('windows/amd64'), windows), 0)
  })

  it('is the same machine in every variant', () => {
    const [plain, v3] = [parsePlatform('linux/amd64'), parsePlatform('linux/amd64/v3')]
    assert.ok(isSameMachine(plain, v3) && isSameMachine(v3, plain))
    assert.equal(isSameMachine(plain, parsePlatform('linux/386')), false)
  })
})
