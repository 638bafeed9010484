from . import check as check
from . import errors as errors
from .actor.actor import Actor as Actor
from .check import Violation as Violation
from .config import ClusterConfig as ClusterConfig
from .config import Timing as Timing
from .faults import Script as Script
from .protocol.client import Client as Client
from .protocol.node import Node as Node
from .protocol.part import Part as Part
from .run import Run as Run
from .runtime.cluster import Cluster as Cluster
from .sim.world import World as World
from .teach import figures as figures
from .teach import scenarios as scenarios
from .teach import show as show
from .teach.figures import delivery_matrix as delivery_matrix
from .teach.figures import describe as describe
from .teach.figures import heartbeats as heartbeats
from .teach.figures import latency as latency
from .teach.figures import log_table as log_table
from .teach.figures import roles as roles
from .teach.widgets.notebook import allow_nested as allow_nested
from .teach.widgets.panel.panel import panel as panel
from .trace import Record as Record
from .trace import Trace as Trace

__version__: str
