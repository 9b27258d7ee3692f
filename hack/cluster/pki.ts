// The instance's own certificate authority, and a certificate for each component. Keys are made once and stay in the
// instance's state folder (mode 0600); only what is missing is made, so a start that was stopped half-way goes on.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { run } from '../run.ts';
import { StepFailed } from '../progress.ts';

export interface CertificateRequest {
  /** File name without extension. */
  readonly name: string;
  /** User name to the API server. */
  readonly commonName: string;
  /** Group to the API server. */
  readonly organization?: string;
  /** DNS names and IP addresses it serves; empty for a client. */
  readonly hosts?: readonly string[];
  /** etcd's one certificate is server and client. */
  readonly client?: boolean;
}

/** The subjects that RBAC's default roles and the Node authorizer know. */
export const CLIENTS = {
  admin: { name: 'admin', commonName: 'tradewind-admin', organization: 'system:masters' },
  controllerManager: { name: 'controller-manager', commonName: 'system:kube-controller-manager' },
  scheduler: { name: 'scheduler', commonName: 'system:kube-scheduler' },
  proxy: { name: 'proxy', commonName: 'system:kube-proxy' },
  provisioner: { name: 'provisioner', commonName: 'tradewind:provisioner' },
  kubeletClient: { name: 'apiserver-kubelet', commonName: 'tradewind:kube-apiserver', organization: 'system:masters' },
} as const satisfies Record<string, CertificateRequest>;

export const kubeletCertificate = (node: string, ip: string): CertificateRequest => ({
  name: `kubelet-${node}`,
  commonName: `system:node:${node}`,
  organization: 'system:nodes',
  hosts: [node, ip],
  client: true,
});

export const serverCertificate = (hosts: readonly string[]): CertificateRequest => ({
  name: 'apiserver',
  commonName: 'kube-apiserver',
  hosts: [
    ...hosts,
    'localhost',
    '127.0.0.1',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ],
});

export const ETCD_CERTIFICATE: CertificateRequest = {
  name: 'etcd',
  commonName: 'etcd',
  hosts: ['localhost', '127.0.0.1'],
  client: true,
};

/** Arguments of one `openssl req` that makes key and certificate, signed by the authority in `dir`. */
export function requestArguments(dir: string, request: CertificateRequest, out: string): string[] {
  const subject =
    (request.organization === undefined ? '' : `/O=${request.organization}`) + `/CN=${request.commonName}`;
  const hosts = request.hosts ?? [];
  const usage = [
    hosts.length > 0 ? 'serverAuth' : '',
    hosts.length === 0 || request.client === true ? 'clientAuth' : '',
  ];
  return [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-sha256', '-days', '3650',
    '-CA', join(dir, 'ca.crt'), '-CAkey', join(dir, 'ca.key'), '-subj', subject,
    '-addext', 'basicConstraints=critical,CA:FALSE',
    '-addext', 'keyUsage=critical,digitalSignature',
    '-addext', `extendedKeyUsage=${usage.filter((use) => use !== '').join(',')}`,
    ...(hosts.length === 0 ? [] : ['-addext', `subjectAltName=${hosts.map((host) => `${isIP(host) ? 'IP' : 'DNS'}:${host}`).join(',')}`]),
    '-keyout', `${out}.key`, '-out', `${out}.crt`,
  ]; // prettier-ignore
}

/** Makes what is missing of the authority, the service accounts' key and the certificates asked for. */
export async function ensurePki(dir: string, requests: readonly CertificateRequest[]): Promise<void> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  try {
    if (!existsSync(join(dir, 'ca.crt'))) await makeAuthority(dir);
    if (!existsSync(join(dir, 'sa.key'))) await makeServiceAccountKey(dir);
    await Promise.all(requests.map((request) => ensureCertificate(dir, request)));
  } catch (cause) {
    throw new StepFailed('certificates could not be made', {
      cause,
      next: 'install openssl 3.0 or later and run again',
    });
  }
}

async function makeAuthority(dir: string): Promise<void> {
  const out = join(dir, 'ca');
  await run('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-sha256', '-days', '3650',
    '-subj', '/CN=tradewind-local-ca', '-addext', 'basicConstraints=critical,CA:TRUE,pathlen:0',
    '-addext', 'keyUsage=critical,keyCertSign,cRLSign', '-keyout', `${out}.key`, '-out', `${out}.crt.part`,
  ]); // prettier-ignore
  renameSync(`${out}.crt.part`, `${out}.crt`);
}

async function makeServiceAccountKey(dir: string): Promise<void> {
  const key = join(dir, 'sa.key');
  await run('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', `${key}.part`]);
  await run('openssl', ['pkey', '-in', `${key}.part`, '-pubout', '-out', join(dir, 'sa.pub')]);
  renameSync(`${key}.part`, key);
}

/** A certificate is made again when its subject or hosts have changed; the request that made it is kept beside it. */
async function ensureCertificate(dir: string, request: CertificateRequest): Promise<void> {
  const out = join(dir, request.name);
  const wanted = JSON.stringify(request);
  if (existsSync(`${out}.json`) && readFileSync(`${out}.json`, 'utf8') === wanted) return;
  rmSync(`${out}.json`, { force: true });
  await run('openssl', requestArguments(dir, request, out));
  writeFileSync(`${out}.json`, wanted);
}
