import assert from 'node:assert/strict'
import { formatPlatform, hostPlatform, parsePlatform, platformDistance } from '#core'

describe('platform', () => {
  const table: readonly (readonly [string, string])[] = [
    ['linux/amd64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['LINUX/AMD64', 'linux/amd64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['linux/armhf', 'linux/arm/v7'],
    ['arm64', `${hostPlatform().os}/arm64`],
    ['local', formatPlatform(hostPlatform())],
  ]
  for (const [text, expected] of table) {
    it(`reads ${text} as ${expected}`, () => {
      assert.equal(formatPlatform(parsePlatform(text)), expected)
    })
  }

  for (const text of ['', 'linux/foo', 'beos/amd64', 'linux/amd64/v2/x', '../..']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parsePlatform(text), { code: 'PLATFORM_MISMATCH' })
    })
  }

  it('knows what runs on what', () => {
    const distance = (wanted: string, offered: string): number | undefined =>
      platformDistance(parsePlatform(wanted), parsePlatform(offered))
    assert.equal(distance('linux/amd64', 'linux/amd64'), 0)
    assert.equal(distance('linux/arm/v7', 'linux/arm/v6'), 1)
    assert.equal(distance('linux/arm/v6', 'linux/arm/v7'), undefined)
    assert.equal(distance('linux/amd64', 'linux/arm64'), undefined)
    assert.equal(distance('linux/amd64', 'linux/amd64/v3'), undefined)
  })
})
