import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  type Attribute,
  attributeList,
  be32,
  decodeAttributes,
  encodeAttributes,
  textOf,
  u32,
} from '../../../../builder/network/netlink/attributes.ts'
import { decode, encode } from '../../../../builder/network/netlink/netlink-socket.ts'

describe('network: netlink messages', () => {
  const leaf = fc.tuple(fc.integer({ min: 1, max: 0x3fff }), fc.uint8Array({ maxLength: 40 }))

  it('give back the attributes that were put into them', () => {
    fc.assert(
      fc.property(fc.array(leaf), fc.array(leaf), (first, second) => {
        const attributes: readonly Attribute[] = [...first, [7, second]]
        const decoded = [...attributeList(encodeAttributes(attributes))]
        assert.deepEqual(decoded.slice(0, -1), first.map(asBuffers))
        const [type, nested = Buffer.alloc(0)] = decoded.at(-1) ?? []
        assert.equal(type, 7)
        assert.deepEqual([...attributeList(nested)], second.map(asBuffers))
      }),
    )
  })

  it('are laid out as the kernel documents it', () => {
    // An attribute of 5 bytes of text, padded, and a nested one with a number in network order.
    const bytes = encodeAttributes([
      [3, 'eth0'],
      [18, [[1, be32(0x01020304)]]],
    ])
    assert.equal(
      bytes.toString('hex'),
      `0900${'0300'}6574683000000000${'0c001280'}08000100${'01020304'}`,
    )
    const request = encode({ type: 16, flags: 5, header: Uint8Array.of(1, 2), doing: '' }, 9)
    assert.equal(request.toString('hex'), '14000000100005000900000000000000' + '01020000')
  })

  it('end where they are cut off or lie about their length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const buffer = Buffer.from(bytes)
        const size = (parts: readonly { readonly length: number }[]): number =>
          parts.reduce((sum, { length }) => sum + length, 0)
        assert.ok(size([...attributeList(buffer)].map(([, value]) => value)) <= bytes.length)
        assert.ok(size([...decode(buffer)].map(({ payload }) => payload)) <= bytes.length)
      }),
    )
  })

  it('have numbers and text by type', () => {
    const found = decodeAttributes(
      encodeAttributes([
        [1, u32(258)],
        [2, 'name'],
        [2, 'other'],
      ]),
    )
    assert.equal(found.get(1)?.readUInt32LE(), 258)
    assert.equal(textOf(found.get(2)), 'other')
    assert.equal(textOf(undefined), '')
  })
})

function asBuffers([type, value]: readonly [number, Uint8Array]): readonly [number, Buffer] {
  return [type, Buffer.from(value)]
}
