import type { Duplex } from 'node:stream'
import type { BuildExplanation } from '#builder/explain'
import type { Output } from '#builder/export'
import type {
  BuildEventListener,
  Bytes,
  Descriptor,
  Digest,
  IsolationChoice,
  Material,
  SnapshotterKind,
  StepResources,
  Ulimit,
} from '#core'
import type { InstructionGraph } from '#parser'
import type { CredentialStore } from '#registry-client'
import type { SigningKey } from '#signing'
import type { AttestationOptions } from './attestation-options.ts'
import type { CacheSource, CacheTarget } from './cache-options.ts'

/** A file, read once and only when a step wants it, or the secret itself. */
export type SecretSource = { readonly file: string } | { readonly value: string | Uint8Array }

/** Finds a secret by its id; `undefined`: there is none. */
export type FindSecret = (id: string, signal?: AbortSignal) => Promise<Uint8Array | undefined>

/** Finds an agent by its id, which serves connections of steps, and never fails; `undefined`: there is none. */
export type FindAgent = (
  id: string,
  signal?: AbortSignal,
) => Promise<((connection: Duplex) => void) | undefined>

/** Everything that `build` can be asked for. Only `context` is required. */
export interface BuildOptions {
  /**
   * A folder; a git repository (`https://HOST/PATH.git#REF:FOLDER`, `git@HOST:PATH`); the URL of an
   * archive or a Dockerfile; or the bytes of either.
   */
  readonly context: string | Bytes
  /** A folder in the context that takes its place; links in it lead nowhere else. */
  readonly contextFolder?: string
  /** The ignore file counts of a context that is not a folder of this machine, too. Default: false. */
  readonly ignoresInFetched?: boolean
  /**
   * Path of the Dockerfile: relative to the current directory where the context is a folder, to the
   * context's root where it is not; or its URL. Default: `Dockerfile` in the context.
   */
  readonly file?: string
  /** What messages call the Dockerfile; default: its path. */
  readonly shownFile?: string
  /**
   * What is used instead of images or stages of these names, in FROM and wherever files are taken from: a
   * folder, `docker-image://NAME` (`scratch` is empty), `oci-layout://FOLDER[:TAG]`, a git repository, the URL of a file
   * (which is called `context`), or `target:STAGE`, an earlier stage.
   */
  readonly contexts?: Readonly<Record<string, string>>
  /** The Dockerfile itself, instead of a path. */
  readonly dockerfile?: string
  readonly tags?: readonly string[]
  /** Name of the stage to build; default: the last one. */
  readonly target?: string
  readonly buildArgs?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  /**
   * `os/arch[/variant]`, one or several; default: this machine's. Several give an index with an
   * image for each, in this order; the build argument BUILDKIT_MULTI_PLATFORM=1 gives one of a single
   * image, too.
   */
  readonly platform?: string | readonly string[]
  /**
   * Do not look results up: those of all steps, or of these and of what is built on them. They are
   * stored all the same, and the cache mounts of these steps are emptied first. `STAGE` is for all steps
   * of a stage, by its name or number, `STAGE:INSTRUCTION` for those whose keyword or text matches
   * (`build:RUN`, `build:RUN apt-get*`), `:INSTRUCTION` for those of all stages. Default: false. See
   * docs/cache-control.md
   */
  readonly noCache?: boolean | readonly string[]
  /**
   * Caches elsewhere, which are asked for what the local store does not have. One that is missing or damaged
   * is a warning. See docs/remote-cache.md
   */
  readonly cacheFrom?: readonly CacheSource[]
  /** Caches elsewhere that get the results of this build, once the image is where it is to go. */
  readonly cacheTo?: readonly CacheTarget[]
  /** Ask registries for base images even when the local store has the name. Default: false. */
  readonly pull?: boolean
  /**
   * How RUN steps are kept apart: by `namespaces`, or `in-place`, in the root of the container that the
   * build runs in, which is replaced by that of each stage. Default: `auto`, namespaces where they can be
   * had; else in place in a container of the image tsbuild. See docs/in-place.md
   *
   * `strict`: by namespaces, and a step that would share the host's network or processes without having
   * asked for it fails instead, where the others are a warning. See docs/step-networks.md
   */
  readonly isolation?: IsolationChoice
  /**
   * The OCI runtime that starts RUN steps: `runc`, `crun`, or the path of one of them. Default: `none`, this
   * process starts them. See docs/runtimes.md
   */
  readonly runtime?: string
  /** In place, absolute or relative paths that stay as they are, besides those that the build needs. */
  readonly keep?: readonly string[]
  /**
   * How RUN steps get their files: by the kernel's `overlay`, by one that keeps what is written in memory
   * (`overlay-tmpfs`), by the program `fuse-overlayfs`, or as `copies`. Default: `auto`, the first of
   * these that works for this store on this machine, but for `fuse-overlayfs` (ADR 27).
   */
  readonly snapshotter?: SnapshotterKind | 'auto'
  /** Bytes in memory for what a step writes, with `overlay-tmpfs`. Default: half of what is free. */
  readonly snapshotSize?: number
  /** Of RUN steps that ask for none themselves. Default: `default`. */
  readonly network?: 'default' | 'none' | 'host'
  /**
   * Rights: those that the Dockerfile may ask for with `RUN --network=host` and `--security=insecure`,
   * and that of an output to delete files anywhere.
   */
  readonly allow?: readonly ('network.host' | 'security.insecure' | 'buildx.local.delete')[]
  /** More lines of /etc/hosts in RUN steps: `[host, address]`, or `host-gateway` for this machine. */
  readonly extraHosts?: readonly (readonly [host: string, address: string])[]
  /** Bytes of /dev/shm in RUN steps; default: 64 MiB. */
  readonly shmSize?: number
  /** Limits of each process of RUN steps. */
  readonly ulimits?: readonly Ulimit[]
  /** What each RUN step may use. Needs control groups that this user may write to. */
  readonly resources?: StepResources
  /** Where control groups of RUN steps are made, from the root of the hierarchy. */
  readonly cgroupParent?: string
  /** What `RUN --mount=type=secret` may show, by id. */
  readonly secrets?: Readonly<Record<string, SecretSource>>
  /** Asked once for each secret that `secrets` does not have, and only when a step wants it. */
  readonly findSecret?: FindSecret
  /**
   * What `RUN --mount=type=ssh` may use, by id, `default` being the usual one: the path of an agent's
   * socket, or paths of private keys, which the build then uses itself.
   */
  readonly ssh?: Readonly<Record<string, readonly string[]>>
  /** Asked for agents that `ssh` does not have, when a step wants one. */
  readonly findAgent?: FindAgent
  /**
   * Makes the image depend on nothing but the input: no file that a step makes is newer than 1980 (or
   * `SOURCE_DATE_EPOCH`, if that is earlier), nor is the image; files of the context have the modes
   * that git keeps. Default: false. See docs/reproducible.md
   */
  readonly reproducible?: boolean
  /** What is said of the images beside them. Default: nothing. See docs/attestations.md */
  readonly attestations?: AttestationOptions
  /**
   * All layers that are not the base's become one, which has nothing that later steps delete. Their steps stay in
   * the cache one by one, and in the history. Default: false.
   */
  readonly squash?: boolean
  /** Default: the local store. */
  readonly outputs?: readonly Output[]
  /** What is pushed is signed with these keys, before it gets its names. See docs/signing.md */
  readonly sign?: readonly SigningKey[]
  /**
   * Push an image, too, whose steps changed files of other owners where there is one user id only: whose
   * they are now is presumed. Default: false, and such a push is refused. See docs/owners.md
   */
  readonly ignoreChownErrors?: boolean
  /**
   * How many steps are under way at a time. Default: as many as the machine has room for, so that steps
   * that wait for a network or a clock do not hold others up; at least as many as this process has CPUs
   * while there is enough memory.
   */
  readonly jobs?: number
  /** The local store's folder; default: `$TSBUILD_ROOT`, /var/lib/tsbuild for root, else `$XDG_DATA_HOME/tsbuild`. */
  readonly root?: string
  /** Registries that are spoken to over plain HTTP or without a valid certificate: `host[:port]`. */
  readonly insecureRegistries?: readonly string[]
  /** A file of credentials in place of docker's and podman's. */
  readonly authFile?: string
  /** `HOST=MIRROR[/PREFIX]`: asked before those of the machine's settings. */
  readonly registryMirrors?: readonly string[]
  /** Files in PEM: authorities that may sign for every registry, besides those of the machine. */
  readonly registryAuthorities?: readonly string[]
  /** Default: docker's config.json and its helpers. */
  readonly credentials?: CredentialStore
  readonly onEvent?: BuildEventListener
  /**
   * Gets why steps ran, when the build has ended, also when it has failed, before it returns. Absent: that is
   * not found out. See docs/cache.md
   */
  readonly onExplanation?: (explanation: BuildExplanation) => void
  /**
   * Gets the stages that are built, for each platform, before anything of them is looked up; again when triggers of
   * base images have added steps.
   */
  readonly onLinked?: (graph: InstructionGraph) => void
  /**
   * Gets the images when all their steps are done, and is awaited before they go anywhere. What it throws ends
   * the build. They can be looked into until the build ends.
   */
  readonly onBuilt?: (images: readonly MadeImage[]) => Promise<void>
  readonly signal?: AbortSignal
}

/** The image of one platform, before it has gone anywhere. */
export interface MadeImage {
  readonly platform: string
  /** Its config, as it will be. */
  readonly config: Uint8Array
  /** Folders of its layers, topmost first. */
  readonly layers: () => Promise<readonly string[]>
}

/** What a build has made. */
export interface BuildResult {
  /**
   * Of the manifest, or index, that was stored or pushed last; `undefined` for `local` and `tar`
   * outputs only.
   */
  readonly digest: Digest | undefined
  readonly descriptor: Descriptor | undefined
  /**
   * Digest of the image config, or of the index if there is one; `undefined` for `local` and
   * `tar` outputs only.
   */
  readonly imageId: Digest | undefined
  /** Canonical names that the image now has. */
  readonly tags: readonly string[]
  /** Of all platforms. */
  readonly layers: readonly BuiltLayer[]
  /** One for each platform, in the order that was asked for. */
  readonly images: readonly BuiltPlatform[]
  /**
   * What was pulled, downloaded and cloned, each once, in an order that does not depend on the build:
   * base images and those that files are copied from, contexts and files from elsewhere, repositories.
   */
  readonly materials: readonly Material[]
  readonly steps: { readonly total: number; readonly cached: number }
  /** Bytes that were added to the local store, about; 0 for a build that found everything there. */
  readonly stored: number
  readonly milliseconds: number
}

/** A layer of a built image. */
export interface BuiltLayer {
  /** Uncompressed tar. */
  readonly diffId: string
  /** Bytes of the uncompressed tar, when known. */
  readonly size: number | undefined
  /** The step that made it; `undefined` for a layer of the base image. */
  readonly createdBy: string | undefined
}

/** The image of one platform. */
export interface BuiltPlatform {
  readonly platform: string
  /** Digest of the image config. */
  readonly id: Digest
  readonly layers: readonly BuiltLayer[]
}
