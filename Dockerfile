# Tertulia in a container: built from the lock file, run without a compiler, npm or root.
#
#   docker build -t tertulia .
#   docker run -p 4040:4040 -v chat-data:/data -e JWT_SECRET=… tertulia
#
# trixie has glibc 2.41, which the fast transport needs on Node 22 and 24.
FROM node:24-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY scripts ./scripts
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:24-trixie-slim
ENV NODE_ENV=production DATA_DIR=/data
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 4040
# Fails if the process does not answer. Route requests by /readyz instead.
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "-e", "fetch('http://127.0.0.1:'+(process.env.PORT??4040)+'/healthz').then((r)=>process.exit(r.ok?0:1),()=>process.exit(1))"]
# No shell in between: SIGTERM reaches the server.
CMD ["node", "--max-semi-space-size=2", "--v8-pool-size=0", "dist/server/main.js", "serve"]
