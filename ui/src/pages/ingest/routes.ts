/** Routes of the pages of Ingest. */
export const ingestRoutes = [] as const;
