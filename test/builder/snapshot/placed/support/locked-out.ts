/** Places and collects what its owner may not read, as an ordinary user. Prints JSON. */
import { chmodSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rawTree, treeChanges } from '#builder/layer'
import { PlacedRoot } from '#builder/snapshot'

/** What was found, with modes. */
export interface LockedOut {
  readonly collected: readonly string[]
  readonly content: string
  /** Of the directory that was locked, after it was walked. */
  readonly mode: number
  readonly again: readonly string[]
  readonly below: readonly string[]
  readonly afterwards: readonly string[]
}

const [base = '', home = ''] = process.argv.slice(2)
const root = join(home, 'root')
const placed = new PlacedRoot(root)

function collect(name: string): string[] {
  placed.collect(join(home, name))
  return modesIn(join(home, name))
}

/** As what reads layers sees them. */
function modesIn(directory: string): string[] {
  const tree = rawTree(directory)
  try {
    return Array.from(treeChanges(tree), (change) => {
      return `${change.path} ${change.kind === 'entry' ? change.stat.mode.toString(8) : change.kind}`
    })
  } finally {
    tree.close()
  }
}

placed.place([base])
mkdirSync(join(root, 'a/d/e'), { recursive: true })
writeFileSync(join(root, 'a/b'), 'changed')
writeFileSync(join(root, 'a/d/e/f'), '')
chmodSync(join(root, 'a/b'), 0o000)
chmodSync(join(root, 'a/d/e'), 0o200)
chmodSync(join(root, 'a/d'), 0o100)
chmodSync(join(root, 'a'), 0o000)
const collected = collect('first')
const content = readFileSync(join(home, 'first/a/b'), 'utf8')
const { mode } = lstatSync(join(root, 'a'))
const again = collect('second')
placed.place([base])
const below = modesIn(root)
placed.place([join(home, 'second'), join(home, 'first'), base])
const afterwards = collect('third')
const found: LockedOut = { collected, content, mode, again, below, afterwards }
process.stdout.write(JSON.stringify(found))
