import {
  directory,
  file,
  gnuLong,
  hardlink,
  header,
  padded,
  pax,
  symlink,
  tar,
} from '../../../support/raw-tar/index.ts'

const LONG = 'long/'.repeat(30)

/** Small archives with everything that a reader of tars has code for, a byte a character. */
export const TARS: readonly string[] = [
  tar(directory('d/'), file('d/a', 'content'), hardlink('h', 'd/a'), symlink('l', 'd/a')),
  tar(pax({ path: `${LONG}x`, mtime: '1.5', uid: '70000' }), file('short', 'x'.repeat(600))),
  tar(pax({ 'SCHILY.xattr.user.a': 'b', size: '5' }), file('a', '12345'), file('b', 'z')),
  tar(pax({ comment: 'for all' }, 'g'), pax({ linkpath: 'd/a' }), symlink('l', 'other'), file('z')),
  tar(gnuLong('L', `${LONG}y`), gnuLong('K', `${LONG}z`), symlink('short', 'short'), file('end')),
  tar(file('.wh.gone'), directory('o/'), file('o/.wh..wh..opq'), file('o/new', 'n')),
  tar(header({ name: 'null', type: '3', major: 1, minor: 3 }), header({ name: 'pipe', type: '6' })),
  tar(
    header({ name: 'sparse', type: 'S', size: 512, magic: 'ustar  \0', raw: SPARSE_MAP() }),
    padded('data'),
    file('after', 'a'),
  ),
  tar(
    pax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '2048' }),
    header({ name: 'sparse', size: 1024 }),
    padded('1\n1024\n512\n'),
    padded('data'.repeat(128)),
  ),
  tar(
    header({ name: 'big', size: 0, raw: { 124: Buffer.from('800000000000000000000003', 'hex') } }),
  ),
].map((bytes) => bytes.toString('latin1'))

/** A map of one part, 4 bytes at 1020 of 1024, as GNU's oldest form has it. */
function SPARSE_MAP(): Readonly<Record<number, string>> {
  const octal = (value: number): string => `${value.toString(8).padStart(11, '0')}\0`
  return { 386: octal(0), 398: octal(512), 483: octal(1024) }
}
