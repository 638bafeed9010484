# JupyterLab with chatsys in it, made of the image of the nodes; README.md says how to start it.
#
#     make image && docker build -f deploy/docker/notebook.Dockerfile -t chatsys-notebook .

# hadolint ignore=DL3007
FROM chatsys:latest
# hadolint ignore=DL3066
USER root
WORKDIR /source
COPY pyproject.toml constraints.txt deploy/docker/needed.py ./
RUN /usr/local/bin/python -m venv /tools && python needed.py notebook > notebook.txt \
    && /tools/bin/pip --python /opt/chatsys install --no-cache-dir --prefer-binary -c constraints.txt -r notebook.txt \
    && rm -rf /tools \
    && mkdir -p /opt/chatsys/etc/jupyter \
    && echo '{"ServerApp": {"ip": "0.0.0.0"}}' > /opt/chatsys/etc/jupyter/jupyter_server_config.json
ENV HOME=/data
USER 10001:10001
WORKDIR /data
CMD ["lab", "--no-browser", "--port", "8888"]
