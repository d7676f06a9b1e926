# One image for web and both workers: the command says which.
FROM python:3.11.14-slim-bookworm

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

# What WeasyPrint draws with, and fonts that cover the scripts of client names.
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
      fonts-dejavu-core fonts-liberation fonts-noto-core fonts-noto-cjk fonts-symbola \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 billow \
 && install -d -o billow -g billow /var/lib/billow /var/lib/billow/documents /var/lib/billow/mailbox /var/lib/billow/bank

WORKDIR /srv/billow
COPY requirements.txt ./
RUN pip install --no-deps --require-hashes -r requirements.txt
COPY pyproject.toml README.md ./
COPY billing billing
COPY workflows workflows
COPY activities activities
COPY workers workers
COPY starter starter
RUN pip install --no-deps --no-build-isolation .

USER billow
ENV BILLOW_HOME=/var/lib/billow
EXPOSE 8080
ENTRYPOINT ["billow"]
CMD ["web"]
