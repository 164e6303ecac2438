// Connections to the Hugging Face hub, or to a server with the same API.
import { HeedError, invalidOption } from '../../util/errors.ts'
import { quote, systemCode } from '../files/file-error.ts'

/** Options for access to the hub. */
export interface HubOptions {
  /** Default: HF_ENDPOINT, or https://huggingface.co. */
  endpoint?: string
  /** Default: HF_TOKEN. */
  token?: string
  /** Aborting it stops the request; its reason is thrown. */
  signal?: AbortSignal
}

export interface Hub {
  name: string
  type: RepoType
  /** Path of its page: the name, preceded by `datasets/` for data sets. */
  path: string
  endpoint: string
  token: string | undefined
  signal: AbortSignal | undefined
  /** Like the global function, but every failure is a HeedError with a remedy. */
  fetch: typeof fetch
  /** Like `fetch`, but returns responses with status 401 and 404. */
  ask: typeof fetch
  /** Common arguments of all calls of @huggingface/hub. */
  call: {
    repo: { type: RepoType; name: string }
    hubUrl: string
    fetch: typeof fetch
    accessToken: string | undefined
  }
}

export type RepoType = 'model' | 'dataset'

/**
 * Validates name, token and endpoint, without a request.
 * @throws HeedError for an invalid name, token or endpoint, and if HF_HUB_OFFLINE is set
 */
export function hub(name: string, options: HubOptions = {}, type: RepoType = 'model'): Hub {
  const { env } = process
  if (!isHubName(name))
    throw invalidOption({
      key: 'name',
      value: name,
      expected: 'owner/model, or model for a few old repositories',
      remedy: 'Copy the name from the page of the model on the hub.',
    })
  if (/^(1|true|yes|on)$/i.test(env.HF_HUB_OFFLINE ?? ''))
    throw new HeedError('network', `HF_HUB_OFFLINE must not be set to download ${name}`, {
      key: 'HF_HUB_OFFLINE',
      remedy: 'Unset it, or use a local folder.',
    })
  const endpoint = checkEndpoint(options.endpoint || env.HF_ENDPOINT || 'https://huggingface.co')
  const token = (options.token ?? env.HF_TOKEN)?.trim() || undefined
  if (token && !token.startsWith('hf_'))
    throw new HeedError(
      'invalid-option',
      '`token` (HF_TOKEN) must begin with hf_, got another token',
      {
        key: 'token',
        remedy: 'Create a token of the hub at https://huggingface.co/settings/tokens.',
      },
    )
  const { signal } = options
  const path = type === 'model' ? name : `${type}s/${name}`
  const place = { name, type, path, endpoint, token, signal }
  const careful = carefulFetch(place)
  const repo = { type, name }
  return {
    ...place,
    fetch: careful,
    ask: carefulFetch(place, [401, 404]),
    call: { repo, hubUrl: endpoint, fetch: careful, accessToken: token },
  }
}

/** Whether a name has the form `owner/model` or `model`. */
export const isHubName = (name: string): boolean =>
  /^[A-Za-z0-9][\w.-]{0,95}(\/[A-Za-z0-9][\w.-]{0,95})?$/.test(name) && !/\.\.|--/.test(name)

type Place = Pick<Hub, 'name' | 'path' | 'endpoint' | 'token' | 'signal'>

/** A temporary failure of the connection or a busy server. */
export class PassingError extends HeedError {}

function carefulFetch(place: Place, expected: readonly number[] = []): typeof fetch {
  return async (input, init) => {
    let response: Response
    try {
      response = await fetch(input, { signal: place.signal, ...init })
    } catch (error) {
      throw unreachable(error, place)
    }
    if (response.ok || expected.includes(response.status)) return response
    await response.body?.cancel().catch(() => {})
    throw refusal(response, place)
  }
}

/** The error for a connection that failed or broke. */
export function unreachable(error: unknown, { endpoint, signal }: Place): unknown {
  if (signal?.aborted) return signal.reason
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const reasons: Record<string, string> = {
    ENOTFOUND: 'the host name is unknown',
    EAI_AGAIN: 'the host name cannot be resolved',
    ECONNREFUSED: 'the connection was refused',
    ENETUNREACH: 'the network is unreachable',
    ETIMEDOUT: 'it does not respond',
    UND_ERR_CONNECT_TIMEOUT: 'it does not respond',
  }
  const reason =
    reasons[systemCode(cause) ?? ''] ?? (cause instanceof Error ? cause.message : String(cause))
  return new PassingError('network', `Cannot reach ${endpoint}: ${reason}`, {
    value: endpoint,
    cause: error,
    remedy: 'Check the network, and HF_ENDPOINT if it is set. Local folders work offline.',
  })
}

function refusal({ status, headers }: Response, { name, path, endpoint, token }: Place): HeedError {
  const reason = headers.get('x-error-code')
  const page = `${endpoint}/${path}`
  const useToken = token
    ? 'The token in HF_TOKEN has no access. Use another one.'
    : 'Set HF_TOKEN to a token with access.'
  if (reason === 'GatedRepo')
    return new HeedError(
      'network',
      `Cannot download ${name}: it is gated, and its terms must be accepted first`,
      {
        value: name,
        remedy: `Accept them at ${page}. ${token ? 'Then use a token of that account as HF_TOKEN.' : useToken}`,
      },
    )
  if (reason === 'RevisionNotFound')
    return new HeedError(
      'missing-file',
      `The revision must exist in ${name}, got an unknown revision`,
      {
        key: 'revision',
        remedy: `Choose one at ${page}/tree/main.`,
      },
    )
  if (reason === 'EntryNotFound')
    return new HeedError('missing-file', `Cannot download a file of ${name}: it does not exist`, {
      value: name,
      remedy: `Check the files at ${page}/tree/main, and try again.`,
    })
  if (status === 401 || (status === 404 && !token))
    return new HeedError('missing-file', `Cannot reach ${page}: it does not exist, or is private`, {
      value: name,
      remedy: `Check the name. If it is private: ${useToken}`,
    })
  if (status === 403)
    return new HeedError('network', `Cannot access ${page}: access denied`, {
      value: name,
      remedy: useToken,
    })
  if (status === 404)
    return new HeedError('missing-file', `Cannot reach ${page}: it does not exist`, {
      value: name,
      remedy: 'Check the name.',
    })
  if (status === 429 || status >= 500)
    return new PassingError('network', `Cannot reach ${endpoint}: it is busy (status ${status})`, {
      value: status,
      remedy: 'Try again later.',
    })
  return new HeedError(
    'network',
    `Cannot access ${page}: the hub responded with status ${status}`,
    {
      value: status,
      remedy: 'Check the name and HF_ENDPOINT, or try again later.',
    },
  )
}

function checkEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^https?:$/.test(url.protocol) && !url.username) return text.replace(/\/+$/, '')
  throw new HeedError(
    'invalid-option',
    `HF_ENDPOINT must be the address of a hub, got ${quote(text)}`,
    {
      key: 'endpoint',
      value: text,
      remedy: 'Use an address such as https://huggingface.co.',
    },
  )
}
