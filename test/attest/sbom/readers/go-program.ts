/** What a program of Go says about itself. */
export interface GoProgram {
  readonly version: string
  readonly modules: string
  readonly bits: 32 | 64
}

const SENTINEL = Buffer.alloc(16, 0x30)
/** Where the section is; before it is what no reader looks at. */
const CODE_SIZE = 8192

/** A program of ELF with nothing but what Go writes about its modules. Spec: Go, debug/buildinfo */
export function goProgram({ version, modules, bits }: GoProgram): Buffer {
  const head = Buffer.alloc(32)
  head.write('\xff Go buildinf:', 'latin1')
  head[14] = bits / 8
  head[15] = 2
  const text = Buffer.concat([SENTINEL, Buffer.from(modules), SENTINEL])
  const info = Buffer.concat([head, counted(Buffer.from(version)), counted(text)])
  const names = Buffer.from('\0.go.buildinfo\0.shstrtab\0')
  const sections = [
    { name: 0, offset: 0, size: 0 },
    { name: 1, offset: CODE_SIZE, size: info.length },
    { name: 15, offset: CODE_SIZE + info.length, size: names.length },
  ]
  const table = sections.map((section) => sectionHeader(section, bits))
  const at = CODE_SIZE + info.length + names.length
  return Buffer.concat([elfHeader(at, table.length, bits), info, names, ...table])
}

function counted(bytes: Buffer): Buffer {
  const length: number[] = []
  for (let rest = bytes.length; ; rest >>= 7) {
    length.push(rest >= 0x80 ? (rest & 0x7f) | 0x80 : rest)
    if (rest < 0x80) return Buffer.concat([Buffer.from(length), bytes])
  }
}

function elfHeader(sectionsAt: number, count: number, bits: 32 | 64): Buffer {
  const header = Buffer.alloc(CODE_SIZE)
  header.write('\x7fELF', 'latin1')
  header[4] = bits === 64 ? 2 : 1
  header[5] = 1
  if (bits === 64) header.writeBigUInt64LE(BigInt(sectionsAt), 0x28)
  else header.writeUInt32LE(sectionsAt, 0x20)
  const sizes = bits === 64 ? 0x3a : 0x2e
  header.writeUInt16LE(bits === 64 ? 64 : 40, sizes)
  header.writeUInt16LE(count, sizes + 2)
  header.writeUInt16LE(count - 1, sizes + 4)
  return header
}

function sectionHeader(
  { name, offset, size }: { readonly name: number; readonly offset: number; readonly size: number },
  bits: 32 | 64,
): Buffer {
  const header = Buffer.alloc(bits === 64 ? 64 : 40)
  header.writeUInt32LE(name, 0)
  if (bits === 64) {
    header.writeBigUInt64LE(BigInt(offset), 0x18)
    header.writeBigUInt64LE(BigInt(size), 0x20)
  } else {
    header.writeUInt32LE(offset, 0x10)
    header.writeUInt32LE(size, 0x14)
  }
  return header
}
