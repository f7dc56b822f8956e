import { Buffer } from 'node:buffer'

/** Fields of a header that a well-behaved writer would never give; text is latin1. */
export interface RawHeader {
  readonly name: string
  readonly type?: string
  readonly size?: number
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  readonly mtime?: number
  readonly link?: string
  readonly magic?: string
  readonly major?: number
  readonly minor?: number
  /** The bytes of a field instead of what the others say, by its offset. */
  readonly raw?: Readonly<Record<number, Buffer | string>>
  readonly badChecksum?: boolean
}

/** One header block. Written from the POSIX text, not shared with the code under test. */
export function header(fields: RawHeader): Buffer {
  const {
    name,
    type = '0',
    size = 0,
    mode = 0o644,
    uid = 0,
    gid = 0,
    mtime = 0,
    link = '',
  } = fields
  const block = Buffer.alloc(512)
  const octal = (value: number, at: number, width: number) => {
    block.write(value.toString(8).padStart(width - 1, '0'), at, width - 1, 'latin1')
  }
  block.write(name, 0, 100, 'latin1')
  octal(mode, 100, 8)
  octal(uid, 108, 8)
  octal(gid, 116, 8)
  octal(size, 124, 12)
  octal(mtime, 136, 12)
  block.write(type, 156, 1, 'latin1')
  block.write(link, 157, 100, 'latin1')
  block.write(fields.magic ?? 'ustar\x0000', 257, 8, 'latin1')
  octal(fields.major ?? 0, 329, 8)
  octal(fields.minor ?? 0, 337, 8)
  for (const [at, bytes] of Object.entries(fields.raw ?? {})) {
    Buffer.from(bytes as string, 'latin1').copy(block, Number(at))
  }
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0) + (fields.badChecksum ? 1 : 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1')
  return block
}

/** Content in whole blocks. */
export function padded(content: Buffer | string): Buffer {
  const bytes = Buffer.from(content as string, 'latin1')
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}

export function file(name: string, content = '', fields: Partial<RawHeader> = {}): Buffer {
  return Buffer.concat([header({ name, size: content.length, ...fields }), padded(content)])
}

export function directory(name: string, fields: Partial<RawHeader> = {}): Buffer {
  return header({ name, type: '5', mode: 0o755, ...fields })
}

export function symlink(name: string, link: string): Buffer {
  return header({ name, type: '2', mode: 0o777, link })
}

export function hardlink(name: string, link: string, fields: Partial<RawHeader> = {}): Buffer {
  return header({ name, type: '1', link, ...fields })
}

/** A PAX header before the entry that it is about. */
export function pax(records: Readonly<Record<string, string>>, type = 'x'): Buffer {
  const body = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`
    let length = rest.length
    while (String(length).length + rest.length !== length) length += 1
    return `${length}${rest}`
  })
  return paxBody(body.join(''), type)
}

/** A PAX header with any bytes in it. */
export function paxBody(body: string, type = 'x'): Buffer {
  return Buffer.concat([header({ name: 'PaxHeader', type, size: body.length }), padded(body)])
}

/** GNU's long name (`L`) or link (`K`). */
export function gnuLong(type: 'L' | 'K', text: string): Buffer {
  const size = text.length + 1
  return Buffer.concat([
    header({ name: '././@LongLink', type, size, magic: 'ustar  \0' }),
    padded(`${text}\0`),
  ])
}

export const END: Buffer = Buffer.alloc(1024)

/** A whole tar. */
export function tar(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([...parts, END])
}
