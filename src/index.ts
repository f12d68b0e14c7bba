/** leat: what a project's `leat.config.ts` imports. */
export { z } from "zod";
export { type DatasetDeclaration, defineDataset } from "./define/define-dataset.ts";
export {
  type FileChoice,
  type FromFilesOptions,
  fromFiles,
  fromRows,
  fromSql,
  fromStream,
  type InputDeclaration,
  type ReleaseDeclaration,
} from "./define/define-dataset-inputs.ts";
export type { ConditionDeclaration, RuleDeclaration } from "./define/define-dataset-rules.ts";
export { defineProject } from "./define/define-project.ts";
export {
  defineShare,
  type ShareColumnOptions,
  type ShareColumns,
  type ShareDatasetOptions,
  type ShareDeclaration,
  type ShareTableOptions,
} from "./define/define-share.ts";
export type { ErrorCode } from "./errors/codes.ts";
export { type ErrorDetails, isLeatError, LeatError } from "./errors/leat-error.ts";
export { type BuildFlowOptions, type BuildParams, type BuiltByName, buildFlow } from "./flow/build-flow.ts";
export { type Deployment, type DeploymentOptions, deployment } from "./flow/deployment.ts";
export { type ConcurrencyOptions, type FlowOptions, flow } from "./flow/flow.ts";
export type {
  Approval,
  ApproveOptions,
  ArtifactWriter,
  Flow,
  FlowContext,
  MapOptions,
  RunInfo,
  RunLogger,
  TaskContext,
} from "./flow/flow-context.ts";
export type { NoticeDeclaration, NoticeOccasion, NoticeTarget } from "./flow/notice-declaration.ts";
export type { RetryOptions } from "./flow/retry-policy.ts";
export type { ScheduleDeclaration } from "./flow/schedule-declaration.ts";
export { type SharedByName, type ShareFlowOptions, type ShareParams, shareFlow } from "./flow/share-flow.ts";
export { type SyncedStream, type SyncFlowOptions, type SyncParams, syncFlow } from "./flow/sync-flow.ts";
export { type Task, type TaskOptions, task } from "./flow/task.ts";
export type { EventMatch, TriggerDeclaration } from "./flow/trigger-declaration.ts";
export {
  type BuiltDataset,
  buildDataset,
  checkDataset,
  downloadFile,
  extractStream,
  findFiles,
  findUntidied,
  loadStream,
  planDatasets,
  planShares,
  planStreams,
  publishDataset,
  shareTenant,
  tidyFile,
} from "./flow/work-tasks.ts";
export type { CursorFormat, ParameterFormat } from "./model/cursor.ts";
export type { TenantId } from "./model/ids.ts";
export type { JsonObject, JsonValue } from "./model/json-value.ts";
export type {
  DeclaredType,
  SchemaContract,
  Stability,
  StreamBounds,
  StreamSpec,
  WriteDisposition,
} from "./model/stream.ts";
export type { ApiSpec } from "./ports/api-spec.ts";
export type { DatasetRow, DatasetSpec, MakeRows, MapContext, MapRow } from "./ports/dataset.ts";
export type {
  Project,
  ProjectDeclaration,
  ProjectDeployment,
  ProjectFlow,
  TenantDeclaration,
} from "./ports/project.ts";
export type {
  CheckedDataset,
  DatasetPublication,
  PlannedFile,
  PlannedShare,
  PlannedStream,
  UntidiedFile,
} from "./ports/project-work.ts";
export type { ShareColumn, ShareKeep, ShareSpec, ShareTable } from "./ports/share.ts";
export type {
  FetchedFile,
  FileLimits,
  FileReader,
  FoundFile,
  KnownFile,
  Source,
  SourceWorld,
  StreamReader,
  Tenant,
} from "./ports/source.ts";
export type { TidyDeclaration } from "./ports/tidy.ts";
export { csv, json, ndjson, parquet, type TableOptions } from "./readers/tables/table-declaration.ts";
export { type ApiDeclaration, defineApi, type RouteDeclaration } from "./serve/define-api.ts";
export type { FilePattern } from "./sources/files/file-pattern.ts";
export { files } from "./sources/files/files.ts";
export type {
  FilePlaceDeclaration,
  FileStreamDeclaration,
  FilesDeclaration,
  ListingDeclaration,
  PageDeclaration,
} from "./sources/files/files-declaration.ts";
export { defineSource } from "./sources/generator/define-source.ts";
export type {
  GeneratedPage,
  GeneratorStreamDeclaration,
  PagesContext,
  SourceDeclaration,
} from "./sources/generator/source-declaration.ts";
export type { AuthDeclaration } from "./sources/http/access-declaration.ts";
export type { PaginationDeclaration } from "./sources/rest/pagination-declaration.ts";
export { rest } from "./sources/rest/rest.ts";
export type {
  BoundDeclaration,
  FailedWhen,
  ParamValue,
  RestDeclaration,
  RestStreamDeclaration,
} from "./sources/rest/rest-declaration.ts";
export type {
  ColumnDeclaration,
  CursorOptions,
  StreamOptions,
} from "./sources/stream-declaration/stream-options.ts";
export { diffWorkbookReports, type LayoutChange } from "./workbook/diff-reports.ts";
export type { TableReport, WorkbookReport } from "./workbook/layout-report.ts";
export { printWorkbookReport } from "./workbook/print-report.ts";
export { workbook } from "./workbook/workbook.ts";
export type { WorkbookColumn, WorkbookOptions } from "./workbook/workbook-options.ts";
