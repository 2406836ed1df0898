import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeReadOnlySql } from './sql-read-only.ts';

const READING: readonly string[] = [
  'select id, name from users where id = 1',
  "select 'drop table; delete from x' as t",
  'SELECT count(*) FROM "order" WHERE note LIKE \'%;--%\'',
  'with a as (select 1) select * from a',
  'values (1,2)',
  'table users',
  'show tables',
  'explain select * from t',
  'EXPLAIN (format json) select 1',
  "select replace(name,'a','b') from t;",
  'select a.update, b.set from a',
  "select * from t where data->>'x' = 'y'",
  "select ARRAY['a','b']",
  "select x::text, now() - interval '1 day' from t -- hi",
  'select /* c */ 1',
  'select $$it is$$',
  'select * from t where id = $1',
  'select * from t where id = ?',
  'select * from t where id = :id and x = @p',
  '(select 1) union all (select 2)',
  'select open, close, load from prices order by load desc limit 10 offset 5',
  'select * from t fetch first 10 rows only',
  'select count(*) filter (where x > 1) over (partition by y) from t',
  'pragma table_info(users)',
  "pragma table_info('users')",
  'show create table x',
  'describe users',
  'select "it\'s" from t',
  "select date_trunc('day', ts) from e where ts between '2020-01-01' and '2021-01-01' group by 1 having count(*)>1",
  'select substring(x from 1 for 3) from t',
  'select if(a>b,a,b) from t',
  'select * from [dbo].[users]',
  'select top 10 * from t with (nolock)',
  "select e'a\\nb'",
  "select * from t where a like '%\\_%'",
  'select * from comments where comment is not null',
  'select * from a left join b using (id)',
  'select 1 as "delete"',
  "select jsonb_path_query(d, '$.a[*]') from t",
  "select d #>> '{a,b}' from t",
  "select count(*) from commits where commit = 'abc'",
  "SELECT *\nFROM t\nWHERE x = 'a''b'\n",
  'select extract(year from d) from t',
  'select * from t tablesample system (10)',
  'select coalesce(max(id),0)+1 from t',
  "select name from sqlite_master where type='table'",
  'select * from t where a @> \'{"x":1}\'',
  'select * from information_schema.columns',
  'select last_update, created_at, deleted from t',
  "select case when status='delete' then 1 else 0 end from t",
  "select count(*) from t where name ~ '^a' and b !~* 'c'",
  'select * from users u where u.id in (select user_id from grants)',
  'select version()',
  "select current_setting('x')",
  "SELECT pg_size_pretty(pg_total_relation_size('t'))",
];

const ACTING: readonly string[] = [
  'delete from users',
  'select 1; drop table users',
  'COMMIT; SELECT 1',
  '',
  '; select 1',
  'select 1 drop table users',
  'select 1 delete from users',
  'with x as (delete from users returning *) select * from x',
  'select * into t2 from t',
  'select into t2 from t',
  'select * from t for update',
  'select * from t for no key update',
  'select * from t lock in share mode',
  'explain analyze select 1',
  'explain (analyze) delete from t',
  "copy t to program 'x'",
  "select pg_read_file('/etc/passwd')",
  'select "pg_read_file"(\'/etc/passwd\')',
  "select pg_catalog.pg_read_file('x')",
  "select lo_import('/etc/passwd')",
  "select load_file('/etc/passwd')",
  "select 1 into outfile '/tmp/x'",
  "select dblink('x','y')",
  'select pg_sleep(10)',
  "select load_extension('x')",
  "exec xp_cmdshell 'dir'",
  "select 1 exec xp_cmdshell 'dir'",
  'pragma journal_mode=delete',
  'pragma writable_schema(1)',
  "attach 'x' as y",
  "select /*! 1 into outfile 'x' */ 1",
  "select 'a\\'; drop table x; -- '",
  "select $$'$$, '; drop table x; --'",
  'select 1 --1;drop table x',
  "select 1 # ' \n ; drop table x -- '",
  'select 1 /* /* */ ; drop table x; -- */',
  'select U&"pg_read_\\0066ile"(\'x\')',
  "select [a'] ; drop table x --'",
  'set x = 1',
  'do $$ begin end $$',
  'call f()',
  "select nextval('s')",
  "select set_config('a','b',false)",
  "select query_to_xml('delete from x',true,true,'')",
  "select * from read_csv('/etc/passwd')",
  'select f from t@link',
  "select utl_http.request('http://x') from dual",
  'select 1\ngo\ndrop table x',
  'select 1\rdrop',
  'select 1 update t set a=1',
  "select a\u00a0into outfile 'x'",
  'with t as (select 1) insert into x select * from t',
  'with t as (select 1) update x set a=1',
  'with t as (select 1) delete from x',
  'explain delete from t',
  'begin; select 1',
  'select 1;;select 2',
  'update t set a=1',
  "select * from openrowset(bulk 'x', single_clob) as y",
  'select sleep(5)',
  "select * from url('http://x')",
  'select 1 where 1=1 kill 5',
  'vacuum',
  'handler t open',
  "select setval('s',1)",
  'select * from final table (insert into x values(1))',
  'select 1 and 1 shutdown',
  'rename table a to b',
  'select 1into t from x',
  "select 1.into outfile '/tmp/x'",
  'select 1 if (1=0) select 2 else delete from users',
  'select 1 a lbl: delete from users',
  'select 1 \uff1b drop table x',
  'select \\! id',
  '{call f()}',
  'select 1; -- x\n drop table y',
  "select pg_read_binary_file ( 'x' )",
  'select /**/pg_sleep/**/(1)',
  'select 1 union select load_file(0x2f)',
  'select `a;drop table x;--` from t',
];

describe('judgeReadOnlySql', () => {
  it.each(READING)('lets %j read', (sql) => {
    expect(judgeReadOnlySql(sql)?.reason).toBeUndefined();
  });

  it.each(ACTING)('denies %j', (sql) => {
    expect(judgeReadOnlySql(sql)?.code).toBe('SQL_NOT_READ_ONLY');
  });

  it('denies whatever follows a complete statement, whatever it reads', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...READING),
        fc.constantFrom(...ACTING.filter((sql) => /^[a-z]+ /.test(sql))),
        (first, then) => {
          fc.pre(!/--|#/.test(first));
          expect(judgeReadOnlySql(`${first.replace(/;\s*$/, '')};${then}`)?.code).toBe('SQL_NOT_READ_ONLY');
        },
      ),
    );
  });

  it('denies a forbidden call between any two tokens of a reading statement', () => {
    expect(judgeReadOnlySql('select (select (select pg_sleep(1)))')?.code).toBe('SQL_NOT_READ_ONLY');
  });

  it('answers any text, and never throws', () => {
    const piece = fc.constantFrom(
      'select ',
      "'",
      '"',
      '`',
      '$$',
      '$a$',
      '--',
      '/*',
      '*/',
      '#',
      '[',
      ']',
      '\\',
      ';',
      '\n',
      'into ',
      '(',
      ')',
      'x',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(piece, { maxLength: 40 }).map((parts) => parts.join('')),
        ),
        (sql) => {
          const finding = judgeReadOnlySql(sql);
          expect(finding === null || finding.code === 'SQL_NOT_READ_ONLY').toBe(true);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('takes long texts in one pass', () => {
    for (const part of ['(', '[', "'a'", '#>', '$a$', '/* */', '-- \n', 'a.', 'select ']) {
      expect(judgeReadOnlySql(`select ${part.repeat(Math.floor(65_000 / part.length))}`)?.code ?? 'read').toMatch(
        /SQL|read/,
      );
    }
    expect(judgeReadOnlySql(`select ${'1,'.repeat(40_000)}1`)?.code).toBe('SQL_NOT_READ_ONLY');
  });
});
