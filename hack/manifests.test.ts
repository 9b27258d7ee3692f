// kind-config.yaml and skaffold.yaml cannot be tried where no Docker engine is: what can be checked of them is checked here.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { load } from 'js-yaml';

const ROOT = join(import.meta.dirname, '..');
const SCHEMA = join(ROOT, '..', 'shared', 'schemas', 'skaffold-v4beta14.json');
const yaml = (file: string): unknown => load(readFileSync(join(ROOT, file), 'utf8'));

interface Skaffold {
  readonly apiVersion: string;
  readonly build: {
    readonly artifacts: readonly {
      readonly image: string;
      readonly docker: { readonly dockerfile: string; readonly target: string };
    }[];
  };
  readonly deploy: {
    readonly helm: {
      readonly releases: readonly {
        readonly chartPath: string;
        readonly valuesFiles?: readonly string[];
        readonly setValueTemplates?: Readonly<Record<string, string>>;
      }[];
    };
  };
}

describe('skaffold.yaml', () => {
  const skaffold = yaml('skaffold.yaml') as Skaffold;
  it('fits the schema that Skaffold publishes', function () {
    if (!existsSync(SCHEMA)) return this.skip();
    const validate = new Ajv({ strict: false, allErrors: true }).compile(
      JSON.parse(readFileSync(SCHEMA, 'utf8')) as object,
    );
    assert.ok(validate(skaffold), JSON.stringify(validate.errors?.slice(0, 3)));
    return undefined;
  });
  it('names files, targets and values that exist', () => {
    const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
    for (const { docker } of skaffold.build.artifacts) {
      assert.ok(existsSync(join(ROOT, docker.dockerfile)));
      assert.match(dockerfile, new RegExp(`AS ${docker.target}\\n`));
    }
    for (const { chartPath, valuesFiles = [], setValueTemplates = {} } of skaffold.deploy.helm.releases) {
      const values = yaml(join(chartPath, 'values.yaml')) as Record<string, Record<string, unknown>>;
      for (const file of valuesFiles) assert.ok(existsSync(join(ROOT, file)), file);
      for (const path of Object.keys(setValueTemplates)) {
        const [section = '', key = ''] = path.split('.');
        assert.ok(key in (values[section] ?? {}), `${chartPath}: ${path}`);
      }
    }
  });
});

describe('kind-config.yaml', () => {
  it('is a cluster of kind with the name that make up looks for', () => {
    const config = yaml('kind-config.yaml') as {
      kind: string;
      apiVersion: string;
      name: string;
      nodes: { role: string }[];
    };
    assert.deepEqual([config.kind, config.apiVersion, config.name], ['Cluster', 'kind.x-k8s.io/v1alpha4', 'tradewind']);
    assert.equal(config.nodes.filter(({ role }) => role === 'control-plane').length, 1);
  });
});
