/** Routes of the pages of Configure. */
export const configureRoutes = [] as const;
