/** An HTTP client that keeps cookies, as a browser keeps those of one host. */
export interface CookieClient {
  readonly cookies: Map<string, string>
  send(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>
  /** The status, and the JSON that was answered. */
  call<Body = { code: string; detail: string }>(method: string, path: string, body?: unknown): Promise<{ status: number; body: Body }>
}

/** @param base what paths stand behind; a whole address is asked as it is */
export function createCookieClient(base: string, headers: Readonly<Record<string, string>> = {}): CookieClient {
  const cookies = new Map<string, string>()
  const send: CookieClient['send'] = async (method, path, body, more = {}) => {
    const answer = await fetch(new URL(path, base), {
      method, redirect: 'manual',
      headers: { ...headers, ...more, cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer
  }
  return {
    cookies, send,
    async call(method, path, body) {
      const answer = await send(method, path, body)
      const text = await answer.text()
      return { status: answer.status, body: (text === '' ? null : JSON.parse(text)) as never }
    },
  }
}
