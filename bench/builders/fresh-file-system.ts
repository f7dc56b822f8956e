import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run, temporaryDirectory } from '../../test/support/peers/index.ts'

/**
 * An empty ext4 of its own for everything that is measured, through a loop device. On a file system
 * where many files were deleted in the last minutes ext4 takes thirty times as long to make a new one
 * (it avoids inodes that were just freed), and which builder that hits would be a matter of chance.
 */
export async function freshFileSystem(): Promise<{ readonly path: string } & AsyncDisposable> {
  const directory = temporaryDirectory('bench', 0o755)
  const [image, path] = [directory.file('image'), directory.file('mounted')]
  mkdirSync(path)
  await run('truncate', ['-s', '40G', image])
  await run('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=1,nodiscard', image])
  await run('mount', ['-o', 'loop', image, path])
  rmSync(join(path, 'lost+found'), { recursive: true })
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await run('umount', [path])
      directory[Symbol.dispose]()
    },
  }
}
