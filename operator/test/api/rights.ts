// The operator as its own ServiceAccount, with the rights that its chart gives it and no others, and a record of what it asks for.
// For tests of its rights.
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { classify } from '../../runtime/errors.ts';
import { Api } from '../../runtime/client.ts';
import type { Credentials } from '../../runtime/credentials.ts';
import type { Resource, Wanted } from '../../runtime/object.ts';
import { credentialsIn } from '../credentials.ts';
import type { Place } from './harness.ts';

const CHART = join(import.meta.dirname, '..', '..', '..', 'charts', 'tradewind');
export const ACCOUNT = 'tradewind-operator';

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}
export type Granting = Wanted & {
  readonly rules?: readonly Rule[];
  readonly subjects?: readonly { readonly name: string }[];
};

const RIGHTS = new Set(['ServiceAccount', 'Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding']);

/** What the chart renders of accounts and rights for an operator that lives in `home`. */
export async function renderRights(home: Place, watched: readonly string[]): Promise<Granting[]> {
  const namespaces = watched.length === 0 ? [] : ['--set', `watchNamespaces={${watched.join()}}`];
  const ran = await home.server.helm(['template', 'tradewind', CHART, '-n', home.namespace, ...namespaces]);
  if (ran.code !== 0) throw new Error(ran.stderr);
  return (loadAll(ran.stdout) as (Granting | null)[]).filter(
    (one) => one !== null && RIGHTS.has(one.kind),
  ) as Granting[];
}

/** Of the account: a token, as a pod has it. */
export async function accountCredentials(home: Place): Promise<Credentials> {
  const token = (await home.kubectl(['create', 'token', ACCOUNT, '--duration=1h'])).trim();
  const { origin, tls } = credentialsIn(home.server.kubeconfig);
  const { ca = '' } = await tls();
  return { origin, tls: async () => ({ ca }), authorization: async () => `Bearer ${token}` };
}

const VERBS: Readonly<Record<string, readonly string[]>> = {
  get: ['get'],
  getMetadata: ['get'],
  list: ['list'],
  create: ['create'],
  update: ['update'],
  // The server asks for both where the object is not there yet.
  apply: ['patch', 'create'],
  patchMetadata: ['patch'],
  delete: ['delete'],
};

/** `verb group/resource`, with the subresource. */
const requestText = (verb: string, { group, plural }: Resource, subresource?: string): string =>
  `${verb} ${group}/${plural}${subresource === undefined ? '' : `/${subresource}`}`;

export interface Asked {
  /** `verb group/resource` of every request. */
  readonly requests: Set<string>;
  /** What was refused for want of a right. */
  readonly refused: string[];
}

/** `api`, with every request noted in `asked`. */
export function recording(api: Api, asked: Asked): Api {
  return new Proxy(api, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]): unknown => {
        note(String(key), args, asked.requests);
        const result: unknown = Reflect.apply(value, target, args);
        if (result instanceof Promise) result.catch((error: unknown) => noteRefusal(error, asked));
        return result instanceof Api ? recording(result, asked) : result;
      };
    },
  });
}

/** A namespace on its way out and a quota refuse with 403 as well, in other words. */
function noteRefusal(error: unknown, { refused }: Asked): void {
  const { code, message } = classify(error);
  if (code === 'Unauthorized' || / cannot \w+ resource /.test(message)) refused.push(message);
}

function note(method: string, [first, second, , fourth]: readonly unknown[], asked: Set<string>): void {
  if (method === 'watch') {
    const [, group = '', plural = ''] =
      /^\/(?:api|apis\/([^/]+))\/[^/]+\/(?:namespaces\/[^/]+\/)?([^/?]+)/.exec(String(first)) ?? [];
    asked.add(`watch ${group}/${plural}`);
    return;
  }
  const isStatus = method === 'apply' && fourth === 'status';
  const verbs = isStatus ? ['patch'] : (VERBS[method] ?? []);
  const place = second as { readonly subresource?: string } | undefined;
  for (const verb of verbs) asked.add(requestText(verb, first as Resource, isStatus ? 'status' : place?.subresource));
}

/** Every right of `rules`, as requests are noted. */
export const rightsIn = (granted: readonly Granting[]): string[] =>
  granted.flatMap(({ rules = [] }) =>
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
      ),
    ),
  );
