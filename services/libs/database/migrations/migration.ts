import type { MigrationInterface, QueryRunner } from 'typeorm';

export interface MigrationStep {
  /** What it does, in PascalCase, followed by its time in ms; the order of migrations. */
  readonly name: string;
  /** One statement. Servers commit DDL by itself, so a step is whole or absent. */
  readonly statement: string;
  /** A query that gives one row with `ok = 1` when the step has had its effect. */
  readonly check: string;
  /** Set where the statement fails when its result is there already, e.g. after a death before it was recorded. */
  readonly skipWhenDone?: boolean;
}

/**
 * Makes TypeORM's migration of a step. Steps go forward only: a wrong one is mended by the next.
 * @throws at run time when the check does not find the step's result
 */
export function migration(step: MigrationStep): new () => MigrationInterface {
  return class implements MigrationInterface {
    readonly name = step.name;
    readonly transaction = false;

    async up(runner: QueryRunner): Promise<void> {
      const isDone = async () => Number((await runner.query(step.check))[0]?.ok) === 1;
      if (step.skipWhenDone === true && (await isDone())) return;
      await runner.query(step.statement);
      if (!(await isDone())) throw new Error(`migration ${step.name}: its result was not found`);
    }

    async down(): Promise<void> {
      throw new Error(`migration ${step.name} goes forward only`);
    }
  };
}

/** A step that creates a table, checked in the information schema. */
export function createTable(options: { name: MigrationStep['name']; table: string; definition: string }) {
  return migration({
    name: options.name,
    statement: `CREATE TABLE IF NOT EXISTS ${options.table} ${options.definition}`,
    check: tableCheck(options.table),
  });
}

/** A step that creates a schema. */
export function createSchema(options: { name: MigrationStep['name']; schema: string }) {
  return migration({
    name: options.name,
    statement: `CREATE DATABASE IF NOT EXISTS ${options.schema} CHARACTER SET utf8mb4`,
    check: `SELECT COUNT(*) AS ok FROM information_schema.schemata WHERE schema_name = '${options.schema}'`,
  });
}

function tableCheck(table: string): string {
  const [schema, name] = table.split('.');
  return `SELECT COUNT(*) AS ok FROM information_schema.tables WHERE table_schema = '${schema}' AND table_name = '${name}'`;
}
